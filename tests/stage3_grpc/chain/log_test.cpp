#include "stage3_grpc/chain/log.hpp"

#include <chrono>
#include <string>
#include <string_view>

#include "core/server/log.hpp"
#include "tests/catch.hpp"
#include "tests/core/server/log_file.hpp"
#include "tests/stage3_grpc/chain/fake_transport.hpp"

namespace rps::rpc::chain {
namespace {

using namespace std::chrono_literals;

struct Logged {
  Logged() { log.bulk().start(); }

  // The line without time, level and name.
  std::string line(const Outcome& outcome) {
    link.end(call, outcome);
    log.bulk().flush(Clock::now() + 10s);
    const std::string text = file.take();
    return text.substr(std::min(text.find("test: "), text.size()));
  }

  server::LogFile file;
  server::Log log{"test", {}, file.descriptor()};
  Log link{log.bulk()};
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
        R"(test: call method=/service/Method operation=throw identity=\"ann\" )"
        "address=ipv4:127.0.0.1:4242 outcome=ok duration_us=1234 "
        "trace_id=0af7651916cd43dd8448eb211c80319c\n");
}

TEST_CASE("What is not known is a dash, and an error has its name") {
  Logged logged;
  CHECK(logged.line({.error = Error::unauthenticated}) ==
        "test: call method=/service/Method operation=- identity=- address=ipv4:127.0.0.1:4242 "
        "outcome=unauthenticated duration_us=0 trace_id=-\n");
}

TEST_CASE("A name cannot add a field or a line") {
  Logged logged;
  logged.call.identity = Identity{.owner = nullptr, .name = "a\" outcome=ok \\\n", .allowed = {}};
  CHECK(logged.line({}).contains(R"( identity=\"a\\\" outcome=ok \\\\\n\" address)"));
}

TEST_CASE("A long name is cut, and the line has all its fields") {
  Logged logged;
  const std::string name(100'000, '\1');
  logged.call.identity = Identity{.owner = nullptr, .name = name, .allowed = {}};
  const std::string line = logged.line({});
  CHECK(line.contains(R"(\u0001…\" address=ipv4:127.0.0.1:4242 outcome=ok)"));
  CHECK(line.ends_with("trace_id=-\n"));
}

TEST_CASE("A log above the level info costs nothing") {
  Logged logged;
  server::set_level(logged.log.logger(), server::LogLevel::warn);
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
