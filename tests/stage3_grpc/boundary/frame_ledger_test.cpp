#include "stage3_grpc/boundary/frame_ledger.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stage3_grpc/limits.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/boundary/frames.hpp"

using namespace rps;
using namespace rps::rpc::boundary;
using namespace std::chrono_literals;

namespace {

constexpr std::uint8_t end_headers = 4;

const Clock::time_point start(1h);

// So small that an attack fits into a few frames, which can be split at every byte.
constexpr Budgets small{.unanswered_calls = {.max = 3, .per_second = 3},
                        .cancelled_calls = {.max = 2, .per_second = 2},
                        .control_frames = {.max = 8, .per_second = 8},
                        .header_bytes = 4'000};

// So large that only the connection's own budgets are exceeded …
std::shared_ptr<CallPool> large_pool() {
  return std::make_shared<CallPool>(1'000'000);
}
// … and as it is by default.
std::shared_ptr<CallPool> default_pool() {
  return std::make_shared<CallPool>(rpc::open_calls_max({}));
}

// What a client sends.
Bytes call() {
  return frame(Frame::headers, 60, end_headers) + frame(Frame::data, 7, Frame::end_stream);
}
Bytes cancel() {
  return frame(Frame::rst_stream, 4);
}
Bytes ping() {
  return frame(Frame::ping, 8);
}
Bytes window_update() {
  return frame(Frame::window_update, 4);
}

// What a server sends.
Bytes answer() {
  return frame(Frame::headers, 20, end_headers) + frame(Frame::data, 9) +
         frame(Frame::headers, 15, end_headers | Frame::end_stream);
}
Bytes streamed_answer() {
  return frame(Frame::data, 9);
}

// `count` calls that do not end, each on a stream of its own, of which `first` others were opened.
Bytes calls(int first, int count) {
  Bytes bytes;
  for (int i = first; i < first + count; ++i) {
    bytes = bytes + frame(Frame::headers, 60, end_headers, static_cast<std::uint32_t>(2 * i + 1));
  }
  return bytes;
}

// The end of an answer.
Bytes end_of(std::uint32_t stream) {
  return frame(Frame::headers, 15, end_headers | Frame::end_stream, stream);
}

struct Attack {
  Breach breach;
  Bytes frame;
  int allowed;  // So many are within the small budgets.
};

const std::vector<Attack> attacks{
    {Breach::unanswered_calls, call(), 3},
    {Breach::cancelled_calls, call() + cancel(), 2},
    {Breach::cancelled_calls, cancel(), 2},
    {Breach::header_bytes, frame(Frame::continuation, 0), 3},
    {Breach::header_bytes, frame(Frame::continuation, 300), 3},
    {Breach::ping, ping(), 4},
    {Breach::settings, frame(Frame::settings, 6), 4},
    {Breach::window_update, window_update(), 8},
    {Breach::priority, frame(Frame::priority, 5), 8},
    {Breach::empty_data, frame(Frame::data, 0), 8},
    {Breach::empty_data, frame(Frame::data, 0, Frame::end_stream), 8},
    {Breach::empty_data, frame(Frame::data, 4), 8},
    {Breach::other_frame, frame(0x77, 0), 8},
    {Breach::other_frame, frame(7, 8), 8},  // GOAWAY
};

// Receives `bytes` split in two.
std::optional<Breach> receive_split(FrameLedger& ledger, const Bytes& bytes, std::size_t split) {
  const auto whole = std::span(bytes);
  if (const auto breach = ledger.received(whole.first(split), start)) return breach;
  return ledger.received(whole.subspan(split), start);
}

void send_split(FrameLedger& ledger, const Bytes& bytes, std::size_t split) {
  ledger.sent(std::span(bytes).first(split));
  ledger.sent(std::span(bytes).subspan(split));
}

// An honest connection: nothing that it does may be a breach.
class Honest {
 public:
  explicit Honest(const Budgets& budgets = {}) : ledger_(budgets, default_pool(), start) {
    receive(preface());
    send(frame(Frame::settings, 18));
    receive(frame(Frame::settings, 0, Frame::ack));
  }

  void receive(const Bytes& bytes) {
    const auto breach = ledger_.received(bytes, now_);
    INFO("breach: " << (breach ? to_string(*breach) : "none"));
    REQUIRE_FALSE(breach);
  }
  void send(const Bytes& bytes) { ledger_.sent(bytes); }
  void pass(Clock::duration time) { now_ += time; }

 private:
  FrameLedger ledger_;
  Clock::time_point now_ = start;
};

}  // namespace

TEST_CASE("Each attack is found one frame past its budget, however its bytes are split") {
  for (const Attack& attack : attacks) {
    INFO(to_string(attack.breach) << " by frames of " << attack.frame.size() << " bytes");
    const Bytes within = preface() + repeated(attack.frame, attack.allowed);
    const Bytes beyond = within + attack.frame;
    for (std::size_t split = 0; split <= within.size(); ++split) {
      FrameLedger ledger(small, large_pool(), start);
      REQUIRE_FALSE(receive_split(ledger, within, split));
    }
    for (std::size_t split = 0; split <= beyond.size(); ++split) {
      FrameLedger ledger(small, large_pool(), start);
      REQUIRE(receive_split(ledger, beyond, split) == attack.breach);
    }
  }
}

TEST_CASE("A block of headers is measured by what its frames announce") {
  FrameLedger ledger(small, large_pool(), start);
  CHECK_FALSE(ledger.received(preface() + frame(Frame::headers, 4'000), start));
  const Bytes next = frame(Frame::headers, 4'001);
  CHECK(ledger.received(std::span(next).first(9), start) == Breach::header_bytes);
}

TEST_CASE("Time forgives no headers") {
  FrameLedger ledger(small, large_pool(), start);
  CHECK_FALSE(ledger.received(preface() + frame(Frame::headers, 1'000), start));
  CHECK_FALSE(ledger.received(frame(Frame::continuation, 1'000), start + 1h));
  CHECK(ledger.received(frame(Frame::continuation, 1'000), start + 2h) == Breach::header_bytes);
}

TEST_CASE("Answers pay back, however their bytes are split") {
  const Bytes calls = repeated(call(), 3);
  const Bytes answers = repeated(answer(), 2);
  for (std::size_t split = 0; split <= answers.size(); ++split) {
    FrameLedger ledger(small, large_pool(), start);
    REQUIRE_FALSE(ledger.received(preface() + calls, start));
    send_split(ledger, answers, split);
    REQUIRE_FALSE(ledger.received(calls, start));  // Four were paid back of three.
    REQUIRE(ledger.received(call(), start) == Breach::unanswered_calls);
  }
}

TEST_CASE("What a server sends besides answers pays back nothing") {
  FrameLedger ledger(small, large_pool(), start);
  REQUIRE_FALSE(ledger.received(preface() + repeated(ping(), 4), start));
  ledger.sent(repeated(
      frame(Frame::ping, 8, 1) + frame(Frame::settings, 0, 1) + window_update() + cancel(), 100));
  CHECK(ledger.received(ping(), start) == Breach::ping);
}

TEST_CASE("An answer ahead of time is no credit") {
  FrameLedger ledger(small, large_pool(), start);
  ledger.sent(repeated(answer(), 100));
  CHECK_FALSE(ledger.received(preface() + repeated(call(), 3), start));
  CHECK(ledger.received(call(), start) == Breach::unanswered_calls);
}

TEST_CASE("A second forgives what it may, and an hour no more") {
  for (const auto pause : {Clock::duration(1s), Clock::duration(1h)}) {
    FrameLedger ledger(small, large_pool(), start);
    REQUIRE_FALSE(ledger.received(preface() + repeated(ping(), 4), start));
    REQUIRE_FALSE(ledger.received(repeated(ping(), 4), start + pause));
    CHECK(ledger.received(ping(), start + pause) == Breach::ping);
  }
  FrameLedger ledger(small, large_pool(), start);
  REQUIRE_FALSE(ledger.received(preface() + repeated(ping(), 4), start));
  REQUIRE_FALSE(ledger.received(repeated(ping(), 2), start + 500ms));
  CHECK(ledger.received(ping(), start + 500ms) == Breach::ping);
}

TEST_CASE("A flood that goes on is found although time passes") {
  FrameLedger ledger({}, large_pool(), start);
  REQUIRE_FALSE(ledger.received(preface(), start));
  std::optional<Breach> breach;
  for (int i = 0; i < 10'000 && !breach; ++i) {
    breach = ledger.received(call() + cancel(), start + i * 500us);  // 2,000 a second.
  }
  CHECK(breach == Breach::cancelled_calls);
}

TEST_CASE("Honest: as many calls at once as may be open, for ever") {
  Honest connection;
  for (int round = 0; round < 1'000; ++round) {
    connection.receive(repeated(call(), 100));
    connection.send(repeated(answer(), 100));
  }
}

TEST_CASE("Honest: calls opened before the limit of streams is known") {
  Honest connection;
  connection.receive(repeated(call(), 300));
}

TEST_CASE("Honest: every second call is cancelled, without end and without pause") {
  Honest connection;
  for (int i = 0; i < 10'000; ++i) {
    connection.receive(call() + call() + cancel());
    connection.send(answer());
  }
}

TEST_CASE("Honest: streams that are cancelled after a first answer") {
  Honest connection;
  for (int i = 0; i < 10'000; ++i) {
    connection.receive(frame(Frame::headers, 60, end_headers) + frame(Frame::data, 7));
    connection.send(frame(Frame::headers, 20, end_headers) + streamed_answer());
    connection.receive(cancel());
    connection.pass(1ms);
  }
}

TEST_CASE("Honest: bursts of calls that are all cancelled or meet their deadlines") {
  Honest connection;
  for (int i = 0; i < 100; ++i) {
    connection.receive(repeated(call(), 100) + repeated(cancel(), 100));
    connection.pass(100ms);
  }
}

TEST_CASE("Honest: a client that times out most of a thousand calls a second") {
  Honest connection;
  for (int i = 0; i < 10'000; ++i) {
    connection.receive(call() + cancel());
    if (i % 10 == 0) connection.send(answer());
    connection.pass(1ms);
  }
}

TEST_CASE("Honest: headers as long as they may be, in one frame and in several") {
  Honest connection;
  for (int i = 0; i < 1'000; ++i) {
    connection.receive(frame(Frame::headers, 16'384, end_headers) +
                       frame(Frame::data, 7, Frame::end_stream));
    connection.receive(frame(Frame::headers, 16'384) + frame(Frame::continuation, 16'384) +
                       frame(Frame::continuation, 8'000, end_headers) +
                       frame(Frame::data, 7, Frame::end_stream));
    connection.send(answer() + answer());
  }
}

TEST_CASE("Honest: a PING for each round trip, as a client sends that measures its window") {
  Honest connection;
  for (int i = 0; i < 100'000; ++i) {
    connection.receive(frame(Frame::data, 7) + ping() + window_update() + window_update());
    connection.send(streamed_answer());
  }
}

TEST_CASE("Honest: WINDOW_UPDATEs for a window full of the shortest answers that came at once") {
  Honest connection;
  for (int i = 0; i < 10; ++i) {
    for (int answers = 0; answers < 2'500; ++answers) connection.send(streamed_answer());
    for (int updates = 0; updates < 5'000; ++updates) connection.receive(window_update());
  }
}

TEST_CASE("Answers that came before make some WINDOW_UPDATEs free, and no other frames") {
  FrameLedger ledger({}, large_pool(), start);
  ledger.sent(repeated(streamed_answer(), 100'000));
  REQUIRE_FALSE(ledger.received(preface() + repeated(window_update(), 11'000), start));
  CHECK(ledger.received(window_update(), start) == Breach::window_update);
  FrameLedger pinged({}, large_pool(), start);
  pinged.sent(repeated(streamed_answer(), 100'000));
  REQUIRE_FALSE(pinged.received(preface() + repeated(ping(), 500), start));
  CHECK(pinged.received(ping(), start) == Breach::ping);
}

TEST_CASE("Honest: hundreds of PINGs a second on an idle connection") {
  Honest connection;
  for (int i = 0; i < 10'000; ++i) {
    connection.receive(ping());
    connection.pass(3ms);
  }
}

TEST_CASE("Honest: uploads without answers, which may be split into small frames") {
  Honest connection;
  connection.receive(frame(Frame::headers, 60, end_headers));
  for (int i = 0; i < 100'000; ++i) connection.receive(frame(Frame::data, 7));
  for (int i = 0; i < 900; ++i) connection.receive(frame(Frame::data, 1));
}

TEST_CASE(
    "A connection may have its share of the pool open, and a call that has ended is no more open") {
  FrameLedger ledger({}, std::make_shared<CallPool>(100), start);  // (100 - 20) / 4 is 20.
  REQUIRE_FALSE(ledger.received(preface() + calls(0, 20), start));
  CHECK(ledger.open_weight() == 20);
  ledger.sent(repeated(end_of(3), 2) + frame(Frame::rst_stream, 4, 0, 5));
  CHECK(ledger.open_weight() == 18);
  REQUIRE_FALSE(ledger.received(calls(20, 2), start));
  CHECK(ledger.received(calls(22, 1), start) == Breach::too_many_calls);
}

TEST_CASE(
    "The more connections have calls open, the fewer each may have, but a few it always may") {
  const auto pool = std::make_shared<CallPool>(1'000);
  std::vector<std::unique_ptr<FrameLedger>> ledgers;
  for (int i = 0; i < 100; ++i) {
    auto& ledger = *ledgers.emplace_back(std::make_unique<FrameLedger>(Budgets{}, pool, start));
    REQUIRE_FALSE(ledger.received(preface(), start));
    int opened = 0;
    while (ledger.open_weight() + 1 < pool->share() && !pool->is_full()) {
      REQUIRE_FALSE(ledger.received(calls(opened++, 1), start));
    }
    if (i == 0) CHECK(opened == 199);
    REQUIRE((opened >= 7 || pool->is_full()));
  }
  CHECK(pool->is_full());
  FrameLedger late({}, pool, start);
  CHECK_FALSE(late.received(preface() + calls(0, 8), start));
  CHECK(late.received(calls(8, 1), start) == Breach::too_many_calls);
  ledgers.clear();
  CHECK_FALSE(pool->is_full());
  CHECK_FALSE(late.received(calls(9, 100), start));
}

TEST_CASE(
    "Long headers weigh more, and less once the peer knows their limit, however they are split") {
  const Bytes in_one = frame(Frame::headers, 1'280, end_headers);
  const Bytes in_two =
      frame(Frame::headers, 128) + frame(Frame::continuation, 128, end_headers);  // And 1 KiB.
  for (const Bytes& bytes : {in_one, in_two}) {
    for (std::size_t split = 0; split <= bytes.size(); ++split) {
      FrameLedger ledger({}, default_pool(), start);
      REQUIRE_FALSE(ledger.received(preface(), start));
      REQUIRE_FALSE(receive_split(ledger, bytes, split));
      REQUIRE(ledger.open_weight() == 11);
    }
  }
  const Bytes acknowledgement = frame(Frame::settings, 0, Frame::ack);
  for (const bool is_premature : {true, false}) {
    FrameLedger ledger({}, default_pool(), start);
    REQUIRE_FALSE(ledger.received(preface(), start));
    if (!is_premature) ledger.sent(frame(Frame::settings, 18));
    REQUIRE_FALSE(ledger.received(acknowledgement + in_one, start));
    CHECK(ledger.open_weight() == (is_premature ? 11 : 4));
  }
}

TEST_CASE(
    "A few calls whose headers refer to a field again and again exceed a connection's share") {
  FrameLedger ledger({}, default_pool(), start);
  REQUIRE_FALSE(ledger.received(preface(), start));
  std::optional<Breach> breach;
  int count = 0;
  while (!breach) {
    ++count;
    breach = ledger.received(
        frame(Frame::headers, 14'000, end_headers, static_cast<std::uint32_t>(2 * count - 1)),
        start);
  }
  CHECK(breach == Breach::too_many_calls);
  CHECK(count <= 6);
}

TEST_CASE("Messages that do not end weigh, and answers take it back") {
  FrameLedger ledger({}, default_pool(), start);
  REQUIRE_FALSE(ledger.received(preface() + calls(0, 1), start));
  const Bytes data = frame(Frame::data, 16'384);
  for (int i = 1; i < 8; ++i) {
    REQUIRE_FALSE(ledger.received(data, start));
    REQUIRE(ledger.open_weight() == 1 + std::min(i, 4));
  }
  ledger.sent(repeated(frame(Frame::data, 9), 64));
  CHECK(ledger.open_weight() == 4);
  FrameLedger small_ledger({}, std::make_shared<CallPool>(100), start);
  REQUIRE_FALSE(small_ledger.received(preface() + calls(0, 16), start));
  REQUIRE_FALSE(small_ledger.received(repeated(data, 4), start));
  CHECK(small_ledger.received(frame(Frame::data, 16'384, 0, 3), start) == Breach::too_many_calls);
}

TEST_CASE("Headers on an even stream, or on one that is over, open no call") {
  FrameLedger ledger({}, large_pool(), start);
  REQUIRE_FALSE(ledger.received(preface() + calls(1, 1), start));
  CHECK(ledger.open_weight() == 1);
  const auto headers = [&](std::uint32_t stream) {
    REQUIRE_FALSE(ledger.received(frame(Frame::headers, 60, end_headers, stream), start));
    return ledger.open_weight();
  };
  CHECK(headers(2) == 1);
  CHECK(headers(4) == 1);
  CHECK(headers(1) == 1);  // It was left out, so it is closed (RFC 9113, 5.1.1).
  CHECK(headers(3) == 1);  // The call's own trailers.
  REQUIRE_FALSE(ledger.received(frame(Frame::rst_stream, 4, 0, 3), start));
  CHECK(headers(3) == 0);
  CHECK(headers(5) == 1);
}

TEST_CASE("Cancelled calls count until as many have ended, and time forgets them") {
  const auto pool = std::make_shared<CallPool>(100);
  FrameLedger ledger({}, pool, start);
  REQUIRE_FALSE(ledger.received(preface(), start));
  int opened = 0;
  const auto cancel_calls = [&](int count) {
    Bytes bytes;
    for (int i = opened; i < opened + count; ++i) {
      bytes = bytes + calls(i, 1) +
              frame(Frame::rst_stream, 4, 0, static_cast<std::uint32_t>(2 * i + 1));
    }
    opened += count;
    return ledger.received(bytes, start);
  };
  REQUIRE(pool->share() == 25);
  REQUIRE_FALSE(cancel_calls(10));
  CHECK(ledger.open_weight() == 0);
  CHECK(pool->share() == 22);
  for (int i = 0; i < 4; ++i) pool->note_end();
  CHECK(pool->share() == 23);
  for (int i = 0; i < 10; ++i) pool->note_end();
  CHECK(pool->share() == 25);
  REQUIRE_FALSE(cancel_calls(12));
  CHECK(pool->share() == 22);
  pool->note_second();
  CHECK(pool->share() == 22);  // They were cancelled in the last second.
  pool->cancel(4, 4);
  pool->note_second();
  CHECK(pool->share() == 24);
  CHECK(cancel_calls(100) == Breach::cancelled_calls);  // Of these gRPC gets none.
  CHECK(pool->share() == 24);
  pool->note_second();
  CHECK(pool->share() == 25);
}

TEST_CASE("Half a million cancelled calls are forgotten in two seconds") {
  CallPool pool(1'000'000);
  pool.cancel(500'000, 999'999);
  CHECK(pool.share() < 10);
  for (int i = 0; i < 1'000; ++i) pool.note_end();
  pool.note_second();
  pool.note_second();
  CHECK(pool.share() == 250'000);
}

TEST_CASE("A connection tells when it was served last") {
  FrameLedger ledger({}, default_pool(), start);
  REQUIRE_FALSE(ledger.received(preface() + ping(), start));
  CHECK_FALSE(ledger.served_at());
  REQUIRE_FALSE(ledger.received(calls(0, 1), start + 1s));
  CHECK(ledger.served_at() == start + 1s);
  REQUIRE_FALSE(ledger.received(calls(1, 1), start + 2s));
  CHECK(ledger.served_at() == start + 1s);  // It still waits for its first answer.
  ledger.sent(end_of(1));
  REQUIRE_FALSE(ledger.received(ping(), start + 3s));
  CHECK(ledger.served_at() == start + 3s);
  CHECK(ledger.sent(end_of(3)));  // The last one that was open.
  ledger.note_served(start + 4s);
  REQUIRE_FALSE(ledger.received(ping(), start + 5s));
  CHECK(ledger.served_at() == start + 4s);
  REQUIRE_FALSE(ledger.received(calls(2, 1), start + 6s));
  REQUIRE_FALSE(ledger.received(frame(Frame::rst_stream, 4, 0, 5), start + 7s));
  CHECK(ledger.served_at() == start + 7s);
}

TEST_CASE("Honest: a thousand uploads, one after the other, and a hundred long streams at once") {
  Honest connection;
  for (int i = 0; i < 1'000; ++i) {
    const auto stream = static_cast<std::uint32_t>(2 * i + 1);
    connection.receive(frame(Frame::headers, 200, end_headers, stream) +
                       repeated(frame(Frame::data, 16'384, 0, stream), 4));
    connection.send(end_of(stream));
  }
  connection.receive(calls(1'000, 100));
  for (int i = 0; i < 1'000; ++i) {
    for (std::uint32_t stream = 2'001; stream < 2'200; stream += 2) {
      connection.receive(frame(Frame::data, 60, 0, stream));
      connection.send(frame(Frame::data, 20, 0, stream));
    }
  }
}

TEST_CASE("Every breach has a name of its own") {
  for (std::size_t i = 0; i < all_breaches.size(); ++i) {
    CHECK(static_cast<std::size_t>(all_breaches[i]) == i);
    for (std::size_t j = 0; j < i; ++j) {
      CHECK(to_string(all_breaches[i]) != to_string(all_breaches[j]));
    }
  }
}
