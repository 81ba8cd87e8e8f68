// The lean client, against servers whose every reply is written here.
#include "bench/load/clients/jsonrpc_lean.hpp"

#include <functional>
#include <string>
#include <thread>

#include <poll.h>
#include <sys/socket.h>

#include "bench/load/loop.hpp"
#include "core/net/listen.hpp"
#include "stage2_jsonrpc/client.hpp"
#include "stage2_jsonrpc/format.hpp"
#include "tests/catch.hpp"

namespace rps::load {
namespace {

using namespace std::chrono_literals;
using namespace std::literals;
using Outcome = net::WireCodec::Outcome;

constexpr std::array codec_names{"json"sv, "msgpack"sv, "binary"sv};

Url url_of(std::string_view query, std::uint16_t port = 1) {
  return *parse_url("jsonrpc://127.0.0.1:" + std::to_string(port) + std::string(query));
}

std::unique_ptr<net::WireCodec> lean_codec(std::string_view query) {
  return make_lean_codec(jsonrpc::make_codec(url_of(query)));
}

// Appends the payload that answers the ready-made request of `codec`: with a round or an error.
void append_answer(jsonrpc::Codec codec, bool is_good, std::string& out) {
  const std::string query =
      "?codec=" + std::string(codec_names.at(static_cast<std::size_t>(codec)));
  const std::string request = ready_made_request(url_of(query));
  const jsonrpc::Format& format = *jsonrpc::format_of(codec);
  jsonrpc::Calls calls;
  format.decode(jsonrpc::decode_frame(request).payload, 1, calls);
  const std::string_view id = calls.list.at(0).id;
  if (is_good) {
    format.encode_reply(id,
                        {.opponent_move = Move::rock,
                         .result = Result::draw,
                         .reason = "both threw rock",
                         .round = 1,
                         .score = {.draws = 1}},
                        out);
  } else {
    format.encode_failure(id, {.code = jsonrpc::Code::overloaded, .error = Error::overloaded}, out);
  }
}

std::string frame(jsonrpc::Codec codec, bool is_good) {
  std::string out;
  const std::size_t start = jsonrpc::begin_frame(jsonrpc::FrameType::response, codec, out);
  append_answer(codec, is_good, out);
  jsonrpc::end_frame(start, out);
  return out;
}

std::string http_response(bool is_good) {
  if (!is_good) return "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\n\r\n\r\n\r\n";
  std::string body;
  append_answer(jsonrpc::Codec::json, true, body);
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

const std::string yes = frame(jsonrpc::Codec::json, true);
const std::string no = frame(jsonrpc::Codec::json, false);

struct Decoded {
  Outcome outcome = Outcome::broken;
  std::size_t consumed = 0;
  Reply reply;
};

Decoded decode(net::WireCodec& codec, std::string_view bytes, bool is_awaited = true) {
  // The caller's sequence is not that of the ready-made request.
  constexpr net::WireCodec::Expected expected{.operation = Operation::play, .sequence = 7};
  Decoded decoded;
  Event event;
  decoded.outcome =
      codec.decode(bytes, is_awaited ? &expected : nullptr, decoded.consumed, decoded.reply, event);
  return decoded;
}

// ---- The codec -----------------------------------------------------------------------------

TEST_CASE("The lean codec sends the same request whatever the command") {
  const auto codec = lean_codec("");
  std::string out;
  codec->encode(1, {.move = Move::paper}, out);
  codec->encode(2, {.operation = Operation::leave}, out);
  const std::string request = ready_made_request(url_of(""));
  CHECK(out == request + request);
}

TEST_CASE("The first good reply is decoded, later ones that begin likewise are not") {
  for (const auto codec_of :
       {jsonrpc::Codec::json, jsonrpc::Codec::message_pack, jsonrpc::Codec::fixed_layout}) {
    const std::string_view name = codec_names.at(static_cast<std::size_t>(codec_of));
    INFO(name);
    const auto codec = lean_codec("?codec=" + std::string(name));
    const std::string good = frame(codec_of, true);
    const std::string bad = frame(codec_of, false);
    for (const bool is_first : {true, false, false}) {
      const Decoded decoded = decode(*codec, good + bad);
      CHECK(decoded.outcome == Outcome::reply);
      CHECK(decoded.consumed == good.size());
      CHECK_FALSE(decoded.reply.error);
      CHECK((decoded.reply.round == 1) == is_first);
    }
    const Decoded refused = decode(*codec, bad + good);
    CHECK(refused.outcome == Outcome::reply);
    CHECK(refused.consumed == bad.size());
    CHECK(refused.reply.error == Error::overloaded);
  }
}

TEST_CASE("Before and after the first good reply, no part of one is taken for a whole") {
  for (const std::string& good : {yes, frame(jsonrpc::Codec::message_pack, true),
                                  frame(jsonrpc::Codec::fixed_layout, true), http_response(true)}) {
    const std::string query = good.starts_with("HTTP") ? "?framing=http"
                              : good[2] == yes[2]      ? ""
                              : good[2] == '\x12'      ? "?codec=msgpack"
                                                       : "?codec=binary";
    const auto codec = lean_codec(query);
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t size = 1; size < good.size(); ++size) {
        INFO(query << ", " << size << " bytes");
        REQUIRE(decode(*codec, good.substr(0, size)).outcome == Outcome::need_more);
      }
      REQUIRE(decode(*codec, good).outcome == Outcome::reply);
    }
  }
}

TEST_CASE("A reply that nobody waits for, and bytes that are no message, break the stream") {
  const auto codec = lean_codec("");
  REQUIRE(decode(*codec, yes).outcome == Outcome::reply);
  CHECK(decode(*codec, yes, false).outcome == Outcome::broken);
  CHECK(decode(*codec, "nonsense").outcome == Outcome::broken);
  std::string damaged = yes;
  damaged[5] = 'x';
  CHECK(decode(*codec, damaged).outcome == Outcome::broken);
}

TEST_CASE("One reply is taken from the front, and a longer one after a shorter") {
  const auto codec = lean_codec("?framing=http");
  const std::string good = http_response(true);
  CHECK(decode(*codec, good + good).consumed == good.size());
  CHECK(decode(*codec, good + good).consumed == good.size());
  std::string longer = good;
  longer.replace(longer.find("Content-Length: ") + 16, 3,
                 std::to_string(good.size() - good.find("\r\n\r\n") - 4 + 2));
  CHECK(decode(*codec, longer + "  " + good).consumed == good.size() + 2);
}

// ---- The loop on it ------------------------------------------------------------------------

// Serves one connection: for each ready-made request that comes it sends what `reply` makes of
// their number, until there is no reply.
class OneByOne {
 public:
  using MakeReply = std::function<std::string(int call)>;

  explicit OneByOne(MakeReply reply, std::string_view query = "")
      : listener_(std::move(
            net::listen_on({.host = "127.0.0.1", .port = 0}, net::PortSharing::no).front())),
        url_(url_of(query, net::port_of(listener_))),
        thread_([this, reply = std::move(reply)] { serve(reply); }) {}

  // What a loop of `depth` slots on one connection measures.
  load::Outcome run(std::size_t depth, double calls_per_second = 0) const {
    LoopOptions options{
        .slots = depth, .judging = Judging::errors, .window = 100ms, .drain_max = 1s};
    if (calls_per_second > 0) {
      options.schedule = steady(Arrivals::constant, calls_per_second, 0.1);
    }
    return run(options);
  }

  // How a loop of one slot ends that a fault of the server is expected to end, however late the
  // machine lets the server run.
  Ending ending_by_fault() const {
    return run({.slots = 1, .judging = Judging::errors, .window = 1min}).ending;
  }

 private:
  load::Outcome run(const LoopOptions& options) const {
    const auto client =
        connect_jsonrpc_lean(url_, {.connections = 1, .depth = options.slots, .timeout_max = 10s});
    return run_loop(*client, options);
  }

  void serve(const MakeReply& reply) const {
    pollfd readable{.fd = listener_.get(), .events = POLLIN, .revents = 0};
    ::poll(&readable, 1, -1);
    const net::Fd peer(::accept4(listener_.get(), nullptr, nullptr, 0));
    std::string request = ready_made_request(url_);
    for (int call = 1;; ++call) {
      if (::recv(peer.get(), request.data(), request.size(), MSG_WAITALL) <= 0) return;
      const std::string answer = reply(call);
      if (answer.empty()) return;
      ::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  net::Fd listener_;
  Url url_;
  std::jthread thread_;
};

TEST_CASE("The lean client tells good replies from the others, however deep its pipeline") {
  for (const std::size_t depth : {1U, 5U}) {
    const OneByOne server([](int call) { return call % 3 == 0 ? no : yes; });
    const load::Outcome outcome = server.run(depth);
    CHECK(outcome.ending == Ending::finished);
    CHECK(outcome.dropped == 0);
    CHECK(outcome.verdicts.of(Verdict::refused) > 0);
    CHECK(outcome.verdicts.not_right() == outcome.verdicts.of(Verdict::refused));
    const double share = static_cast<double>(outcome.verdicts.of(Verdict::right)) /
                         static_cast<double>(outcome.verdicts.total());
    CHECK(share > 0.6);
    CHECK(share < 0.74);
  }
}

TEST_CASE("Replies over HTTP are told apart by their length") {
  const OneByOne server([](int call) { return http_response(call % 2 == 0); }, "?framing=http");
  const load::Outcome outcome = server.run(1);
  CHECK(outcome.ending == Ending::finished);
  CHECK(outcome.good > 0);
  CHECK(outcome.verdicts.of(Verdict::refused) > 0);
}

TEST_CASE("A server that ends, or answers what was not asked, breaks the run") {
  CHECK(OneByOne([](int call) { return call < 10 ? yes : ""; }).ending_by_fault() ==
        Ending::broken);
  CHECK(OneByOne([](int) { return yes + yes; }).ending_by_fault() == Ending::broken);
}

TEST_CASE("A server that closes without a reply has answered nothing") {
  const load::Outcome outcome = OneByOne([](int) { return ""; }).run(1);
  CHECK(outcome.good == 0);
  CHECK_FALSE(outcome.valid);
}

TEST_CASE("An open loop drops what its connections have no room for") {
  const OneByOne server([](int) {
    std::this_thread::sleep_for(20ms);
    return yes;
  });
  const load::Outcome outcome = server.run(2, 1000);
  CHECK(outcome.ending == Ending::finished);
  CHECK(outcome.dropped > 0);
  CHECK(outcome.good > 0);
  CHECK(outcome.response.min() >= 20ms);  // From when it was due.
}

}  // namespace
}  // namespace rps::load
