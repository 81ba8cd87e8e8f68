// The lean load against a server of three lines, so that every count is known.
#include "bench/load/pump.hpp"

#include <array>
#include <functional>
#include <string>
#include <thread>

#include <poll.h>
#include <sys/socket.h>

#include "core/net/listen.hpp"
#include "tests/catch.hpp"

namespace rps::load {
namespace {

using namespace std::chrono_literals;
using namespace std::literals;

// Serves one connection: for each `request_bytes` that come it sends what `reply` makes of their
// number, until there is no reply.
class OneByOne {
 public:
  using MakeReply = std::function<std::string(int call)>;

  OneByOne(std::size_t request_bytes, MakeReply reply)
      : listener_(net::listen_on({.host = "127.0.0.1", .port = 0}, net::PortSharing::no)),
        thread_([this, request_bytes, reply = std::move(reply)] { serve(request_bytes, reply); }) {}

  HostPort address() const { return {.host = "127.0.0.1", .port = net::port_of(listener_)}; }

 private:
  void serve(std::size_t request_bytes, const MakeReply& reply) const {
    pollfd readable{.fd = listener_.get(), .events = POLLIN, .revents = 0};
    ::poll(&readable, 1, -1);
    const net::Fd peer(::accept4(listener_.get(), nullptr, nullptr, 0));
    std::string request(request_bytes, ' ');
    for (int call = 1;; ++call) {
      if (::recv(peer.get(), request.data(), request_bytes, MSG_WAITALL) <= 0) return;
      const std::string answer = reply(call);
      if (answer.empty()) return;
      ::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  net::Fd listener_;
  std::jthread thread_;
};

PumpOptions options_for(const OneByOne& server, std::size_t depth = 1) {
  return {.address = server.address(),
          .request = "request",
          .good = "yes",
          .good_at = 5,
          .depth = depth,
          .window = 100ms};
}

const std::string yes = "\xCA\xFE\x02\0\3yes"s;
const std::string no = "\xCA\xFE\x02\0\2no"s;

TEST_CASE("The pump tells good replies from the others, however deep its pipeline") {
  for (const std::size_t depth : {1U, 5U}) {
    const OneByOne server(7, [](int call) { return call % 3 == 0 ? no : yes; });
    const PumpResult result = run_pump(options_for(server, depth));
    CHECK(!result.broken);
    CHECK(result.dropped == 0);
    CHECK(result.refused.count() > 0);
    const double share = static_cast<double>(result.good.count()) /
                         static_cast<double>(result.good.count() + result.refused.count());
    CHECK(share > 0.6);
    CHECK(share < 0.74);
  }
}

TEST_CASE("Replies over HTTP are told apart by their length") {
  const OneByOne server(7, [](int call) {
    return (call % 2 == 0 ? "HTTP/1.1 200 OK\r\n"s : "HTTP/1.1 429 \r\n"s) +
           "Content-Length: 4\r\n\r\n\r\n\r\n";
  });
  PumpOptions options = options_for(server);
  options.framing = PumpOptions::Framing::http;
  options.good = "HTTP/1.1 200 ";
  options.good_at = 0;
  const PumpResult result = run_pump(options);
  CHECK(!result.broken);
  CHECK(result.good.count() > 0);
  CHECK(result.refused.count() > 0);
}

TEST_CASE("A server that ends, or answers what was not asked, breaks the run") {
  const OneByOne ends(7, [](int call) { return call < 10 ? yes : ""; });
  CHECK(run_pump(options_for(ends)).broken);
  const OneByOne chatters(7, [](int) { return yes + yes; });
  CHECK(run_pump(options_for(chatters)).broken);
}

TEST_CASE("An open loop drops what its connections have no room for") {
  const OneByOne server(7, [](int) {
    std::this_thread::sleep_for(20ms);
    return yes;
  });
  PumpOptions options = options_for(server, 2);
  options.calls_per_second = 1000;
  const PumpResult result = run_pump(options);
  CHECK(!result.broken);
  CHECK(result.dropped > 0);
  CHECK(result.good.count() > 0);
  CHECK(result.good.min() >= 20ms);  // From when it was due.
}

TEST_CASE("One question is answered once, and a server that closes says nothing") {
  const OneByOne server(7, [](int) { return yes + "more"; });
  CHECK(ask_once(server.address(), "request", PumpOptions::Framing::frames) == yes);
  const OneByOne closes(7, [](int) { return ""; });
  CHECK(ask_once(closes.address(), "request", PumpOptions::Framing::frames).empty());
}

}  // namespace
}  // namespace rps::load
