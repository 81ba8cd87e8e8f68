#include "stage3_grpc/boundary/frame_ledger.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

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
  explicit Honest(const Budgets& budgets = {}) : ledger_(budgets, start) { receive(preface()); }

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
      FrameLedger ledger(small, start);
      REQUIRE_FALSE(receive_split(ledger, within, split));
    }
    for (std::size_t split = 0; split <= beyond.size(); ++split) {
      FrameLedger ledger(small, start);
      REQUIRE(receive_split(ledger, beyond, split) == attack.breach);
    }
  }
}

TEST_CASE("A block of headers is measured by what its frames announce") {
  FrameLedger ledger(small, start);
  CHECK_FALSE(ledger.received(preface() + frame(Frame::headers, 4'000), start));
  const Bytes next = frame(Frame::headers, 4'001);
  CHECK(ledger.received(std::span(next).first(9), start) == Breach::header_bytes);
}

TEST_CASE("Time forgives no headers") {
  FrameLedger ledger(small, start);
  CHECK_FALSE(ledger.received(preface() + frame(Frame::headers, 1'000), start));
  CHECK_FALSE(ledger.received(frame(Frame::continuation, 1'000), start + 1h));
  CHECK(ledger.received(frame(Frame::continuation, 1'000), start + 2h) == Breach::header_bytes);
}

TEST_CASE("Answers pay back, however their bytes are split") {
  const Bytes calls = repeated(call(), 3);
  const Bytes answers = repeated(answer(), 2);
  for (std::size_t split = 0; split <= answers.size(); ++split) {
    FrameLedger ledger(small, start);
    REQUIRE_FALSE(ledger.received(preface() + calls, start));
    send_split(ledger, answers, split);
    REQUIRE_FALSE(ledger.received(calls, start));  // Four were paid back of three.
    REQUIRE(ledger.received(call(), start) == Breach::unanswered_calls);
  }
}

TEST_CASE("What a server sends besides answers pays back nothing") {
  FrameLedger ledger(small, start);
  REQUIRE_FALSE(ledger.received(preface() + repeated(ping(), 4), start));
  ledger.sent(repeated(
      frame(Frame::ping, 8, 1) + frame(Frame::settings, 0, 1) + window_update() + cancel(), 100));
  CHECK(ledger.received(ping(), start) == Breach::ping);
}

TEST_CASE("An answer ahead of time is no credit") {
  FrameLedger ledger(small, start);
  ledger.sent(repeated(answer(), 100));
  CHECK_FALSE(ledger.received(preface() + repeated(call(), 3), start));
  CHECK(ledger.received(call(), start) == Breach::unanswered_calls);
}

TEST_CASE("A second forgives what it may, and an hour no more") {
  for (const auto pause : {Clock::duration(1s), Clock::duration(1h)}) {
    FrameLedger ledger(small, start);
    REQUIRE_FALSE(ledger.received(preface() + repeated(ping(), 4), start));
    REQUIRE_FALSE(ledger.received(repeated(ping(), 4), start + pause));
    CHECK(ledger.received(ping(), start + pause) == Breach::ping);
  }
  FrameLedger ledger(small, start);
  REQUIRE_FALSE(ledger.received(preface() + repeated(ping(), 4), start));
  REQUIRE_FALSE(ledger.received(repeated(ping(), 2), start + 500ms));
  CHECK(ledger.received(ping(), start + 500ms) == Breach::ping);
}

TEST_CASE("In an alert fewer calls may be open or cancelled") {
  const Bytes cancelled = repeated(call() + cancel(), 100) + cancel();
  FrameLedger calm({}, start);
  CHECK_FALSE(calm.received(preface() + cancelled, start));
  FrameLedger alert({}, start);
  CHECK(alert.received(preface() + cancelled, start, true) == Breach::cancelled_calls);
  CHECK(calm.received(cancel(), start, true) == Breach::cancelled_calls);
  FrameLedger opener({}, start);
  CHECK_FALSE(opener.received(preface() + repeated(call(), 150), start, true));
  CHECK(opener.received(call(), start, true) == Breach::unanswered_calls);
}

TEST_CASE("A flood that goes on is found although time passes") {
  FrameLedger ledger({}, start);
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
  FrameLedger ledger({}, start);
  ledger.sent(repeated(streamed_answer(), 100'000));
  REQUIRE_FALSE(ledger.received(preface() + repeated(window_update(), 11'000), start));
  CHECK(ledger.received(window_update(), start) == Breach::window_update);
  FrameLedger pinged({}, start);
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

TEST_CASE("Every breach has a name of its own") {
  for (std::size_t i = 0; i < all_breaches.size(); ++i) {
    CHECK(static_cast<std::size_t>(all_breaches[i]) == i);
    for (std::size_t j = 0; j < i; ++j) {
      CHECK(to_string(all_breaches[i]) != to_string(all_breaches[j]));
    }
  }
}
