#include "stage3_grpc/chain/log.hpp"

#include <chrono>
#include <memory>
#include <sstream>
#include <string>

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include "tests/catch.hpp"
#include "tests/stage3_grpc/chain/fake_transport.hpp"

namespace rps::rpc::chain {
namespace {

using namespace std::chrono_literals;

struct Logged {
  Logged() { logger.set_pattern("%v"); }

  std::string line(const Outcome& outcome) {
    text.str("");
    link.end(call, outcome);
    return text.str();
  }

  std::ostringstream text;
  spdlog::logger logger{"test", std::make_shared<spdlog::sinks::ostream_sink_st>(text)};
  Log link{logger};
  FakeTransport transport;
  CallInfo call = transport.call();
};

TEST_CASE("A line has all that is known of a call") {
  Logged logged;
  logged.call.operation = Operation::throw_move;
  logged.call.began_at = Clock::time_point(1s);
  logged.call.identity = Identity{.owner = nullptr, .name = "ann", .allowed = {}};
  logged.call.trace = parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  CHECK(logged.line({.ended_at = Clock::time_point(1s) + 1'234us}) ==
        "call method=/service/Method operation=throw identity=\"ann\" "
        "address=ipv4:127.0.0.1:4242 outcome=ok duration_us=1234 "
        "trace_id=0af7651916cd43dd8448eb211c80319c\n");
}

TEST_CASE("What is not known is a dash, and an error has its name") {
  Logged logged;
  CHECK(logged.line({.error = Error::unauthenticated}) ==
        "call method=/service/Method operation=- identity=- address=ipv4:127.0.0.1:4242 "
        "outcome=unauthenticated duration_us=0 trace_id=-\n");
}

TEST_CASE("A name from a certificate cannot add a field") {
  Logged logged;
  logged.call.identity = Identity{.owner = nullptr, .name = R"(a" outcome=ok \)", .allowed = {}};
  CHECK(logged.line({}).contains(R"(identity="a\" outcome=ok \\" address)"));
}

TEST_CASE("A log above the level info costs nothing") {
  Logged logged;
  logged.logger.set_level(spdlog::level::warn);
  CHECK(logged.line({}).empty());
  CHECK(logged.transport.peers_asked == 0);
}

TEST_CASE("The access log is off unless it is switched on") {
  Logged logged;
  CHECK_FALSE(logged.link.configure({}));
  CHECK(logged.link.configure({.has_access_log = true}));
}

}  // namespace
}  // namespace rps::rpc::chain
