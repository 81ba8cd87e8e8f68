#include "stage3_grpc/client_balance.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "stage3_grpc/client.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/notes.hpp"
#include "tests/stage3_grpc/running_server.hpp"

using namespace rps;
using namespace rps::rpc;

namespace {

std::unique_ptr<Client> open_list(const std::vector<std::string>& targets,
                                  const std::string& query = "") {
  std::string text = "grpc://";
  for (const std::string& target : targets) text += (text.ends_with('/') ? "" : ",") + target;
  const auto url = parse_url(text + query);
  REQUIRE(url);
  return connect(*url, {.connections = 1, .depth = 16});
}

std::uint64_t plays(const RunningServer& at) {
  const std::string text = at.metrics.text();
  const std::string name = R"(rps_requests_total{operation="play",error_class="ok"} )";
  const std::size_t place = text.find(name);
  return place == std::string::npos ? 0 : std::stoull(text.substr(place + name.size()));
}

// Keeps 16 calls open until `count` are answered. `when_half` runs after half of them.
template <class Run>
void play_many(Client& client, Notes& notes, std::uint64_t count, Run when_half) {
  const std::size_t answers = notes.answers.size() + count;
  std::uint64_t next = 0;
  const auto submit = [&] { client.submit(++next, {.move = Move::rock}); };
  notes.again = [&](std::uint64_t) {
    if (next == count / 2) when_half();
    if (next < count) submit();
  };
  while (next < 16) submit();
  poll_until(client, notes, [&] { return notes.answers.size() == answers; });
  notes.again = {};
}

// A play at a time, so that each one takes the next connection.
void play_until(Client& client, Notes& notes, const std::function<bool()>& done) {
  std::uint64_t id = 1'000'000 + notes.answers.size();
  const Clock::time_point deadline = Clock::now() + patience;
  while (!done() && Clock::now() < deadline) {
    CHECK_FALSE(ask(client, notes, ++id, {.move = Move::rock}).error);
  }
  REQUIRE(done());
}

}  // namespace

TEST_CASE("A target has all addresses of a list, in one family") {
  CHECK(find_target({{"127.0.0.1", 1}, {"127.0.0.2", 2}}) == "ipv4:127.0.0.1:1,127.0.0.2:2");
  CHECK(find_target({{"::1", 1}, {"::1", 2}}) == "ipv6:[::1]:1,[::1]:2");
  CHECK(find_target({{"127.0.0.1", 1}, {"::1", 2}}) == "ipv6:[::ffff:127.0.0.1]:1,[::1]:2");
  CHECK(find_target({{"127.0.0.1", 1}, {"127.0.0.1", 1}}) == "ipv4:127.0.0.1:1");
  CHECK(find_target({{"localhost", 1}, {"localhost", 2}}).contains("127.0.0.1"));
  CHECK_THROWS(find_target({{"127.0.0.1", 1}, {"no.such.name.invalid", 2}}));
}

TEST_CASE("What a list does not take is refused") {
  const auto refused = [](const std::string& text) { check(*parse_url(text)); };
  CHECK_THROWS_WITH(refused("grpc://a:1,b:2?resend=1"), Catch::Contains("resend"));
  CHECK_THROWS_WITH(refused("grpcs://a:1,b:2"), Catch::Contains("'name'"));
  CHECK_NOTHROW(refused("grpcs://a:1,b:2?name=a"));
  CHECK_NOTHROW(refused("grpcs://a:1,a:2"));
}

TEST_CASE("The plays of a list take its servers in turns") {
  RunningServer a;
  RunningServer b;
  RunningServer c;
  const auto client = open_list({a.target(), b.target(), c.target()});
  Notes notes;
  play_until(*client, notes, [&] { return plays(a) > 0 && plays(b) > 0 && plays(c) > 0; });
}

TEST_CASE("The addresses of a list may be of both families") {
  RunningServer a;
  RunningServer b({}, {.seed = 7}, {.host = "::1", .port = 0});
  const auto client = open_list({a.target(), b.target()});
  Notes notes;
  play_until(*client, notes, [&] { return plays(a) > 0 && plays(b) > 0; });
}

TEST_CASE(
    "No call fails when one of three servers of a list goes, and it gets calls when it is back") {
  RunningServer a;
  RunningServer b;
  auto c = std::make_unique<RunningServer>();
  const auto at = parse_url(c->server->url());
  REQUIRE(at);
  const auto client = open_list({a.target(), b.target(), c->target()});
  Notes notes;
  play_until(*client, notes, [&] { return plays(*c) > 0; });

  play_many(*client, notes, 3000, [&] { c.reset(); });
  for (const auto& [id, reply] : notes.replies) CHECK_FALSE(reply.error);
  for (const auto& [id, times] : notes.answers) CHECK(times == 1);

  const RunningServer back({}, {.seed = 7}, {.host = at->host, .port = at->port});
  play_until(*client, notes, [&] { return plays(back) > 0; });
}
