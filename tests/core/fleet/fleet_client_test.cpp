// The fleet client against servers in the test's own thread. Time is real here, so every time-out
// is either short, and waited for, or far out of reach; no test asks how long something took.
#include "core/fleet/fleet_client.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <latch>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/micro/allocations.hpp"
#include "core/fleet/in_order_session.hpp"
#include "tests/catch.hpp"
#include "tests/core/fleet/fake_server.hpp"

namespace rps::fleet {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds soon{30};  // A time-out that is waited for.
constexpr seconds patience{20};   // How long a test waits for what must come.

// A registry that the test changes. Asked with every sweep.
struct Listed {
  Listing listing{.version = 1, .urls = {}};
  std::uint64_t seen = 1;
};

class ListedRegistry final : public Registry {
 public:
  explicit ListedRegistry(Listed& listed) : listed_(listed) {}
  const Listing& list() const override { return listed_.listing; }
  int fd() const override { return -1; }
  Clock::time_point due() const override { return Clock::time_point::min(); }
  bool poll(Clock::time_point) override {
    return std::exchange(listed_.seen, listed_.listing.version) != listed_.listing.version;
  }
  bool is_current() const override { return true; }

 private:
  Listed& listed_;
};

// What every call was answered with.
class Answers final : public Sink {
 public:
  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override {
    CHECK(stamps.sent_at <= stamps.received_at);
    ++counts[id];
    errors[id] = reply.error;
    operations[id] = reply.operation;
    ++total;
    if (then) then(id);
  }
  void on_event(const Event& event) override { events.push_back(event); }

  // Whether all of the first `calls` calls were answered, each once.
  bool each_once(std::uint64_t calls) const {
    return counts.size() == calls &&
           std::ranges::all_of(counts, [](const auto& entry) { return entry.second == 1; });
  }
  std::size_t failed() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(errors, [](const auto& entry) { return entry.second.has_value(); }));
  }

  std::map<std::uint64_t, int> counts;
  std::map<std::uint64_t, std::optional<Error>> errors;
  std::map<std::uint64_t, Operation> operations;
  std::vector<Event> events;
  std::uint64_t total = 0;
  std::function<void(std::uint64_t)> then;
};

// Options under which nothing happens by itself.
FleetOptions patient(Clock::duration deadline = patience) {
  FleetOptions options;
  options.schemes = {"line"};
  options.depth = 16;
  options.balance = Balance::round_robin;
  options.deadline = deadline;
  options.backoff = {.first = milliseconds(1), .max = milliseconds(20), .jitter = milliseconds(1)};
  options.silence_max = hours(1);
  return options;
}

std::unique_ptr<Protocol> make_line_protocol(const Url&) {
  return make_in_order_protocol(std::make_unique<LineCodec>());
}

struct Bench {
  explicit Bench(std::size_t count, const FleetOptions& options = patient(),
                 std::size_t answers_max = 0)
      : servers(count) {
    for (FakeServer& server : servers) {
      server.answers_max = answers_max;
      listed.listing.urls.push_back(server.url());
    }
    FleetOptions wanted = options;
    wanted.notice = [&](const std::string& sentence) { notices.push_back(sentence); };
    const auto make_protocol = [answers_max](const Url&) {
      return make_in_order_protocol(std::make_unique<LineCodec>(answers_max > 0));
    };
    client.emplace(wanted, make_protocol, std::make_unique<ListedRegistry>(listed));
  }

  // One server, connected, that answers every call so; none, when `answer` is empty.
  Bench(const FleetOptions& options, std::string_view answer) : Bench(1, options) {
    connect();
    servers[0].answer = answer;
  }

  // Waits until all servers of the list are known to be up or down.
  void connect() { client->await_instances(Clock::now() + patience); }

  void submit(const Command& command) { client->submit(submitted++, command); }
  void play(std::string_view session = {}) {
    submit({.operation = Operation::play, .move = Move::rock, .session_id = session});
  }
  void duel(Operation operation, std::string_view game) {
    submit({.operation = operation, .game_id = game, .player_id = "p"});
  }

  void step() {
    client->poll(Clock::now() + milliseconds(1), answers);
    for (FakeServer& server : servers) server.work();
  }

  void until(const std::function<bool()>& done) {
    const Clock::time_point deadline = Clock::now() + patience;
    while (!done()) {
      REQUIRE(Clock::now() < deadline);
      step();
    }
  }
  void until_answered() {
    until([&] { return answers.total == submitted; });
    CHECK(answers.each_once(submitted));
  }

  void list(const std::vector<std::size_t>& which) {
    listed.listing.urls.clear();
    for (const std::size_t i : which) listed.listing.urls.push_back(servers[i].url());
    ++listed.listing.version;
    const std::uint64_t changes = client->stats().registry_changes;
    until([&] { return client->stats().registry_changes > changes; });
  }

  InstanceStatus status(std::size_t server) const {
    for (const InstanceStatus& status : client->instances()) {
      if (status.url == servers[server].url()) return status;
    }
    return {};
  }

  std::deque<FakeServer> servers;
  Listed listed;
  std::vector<std::string> notices;
  std::optional<FleetClient> client;
  Answers answers;
  std::uint64_t submitted = 0;
};

TEST_CASE("Calls are spread over the instances, and each is answered once") {
  Bench bench(3);
  bench.connect();
  for (int i = 0; i < 12; ++i) bench.play();
  bench.until_answered();
  for (const FakeServer& server : bench.servers) {
    CHECK(server.calls.size() == 4);
    CHECK(server.accepted == 1);  // Pipelined.
  }
  CHECK(bench.answers.failed() == 0);
  CHECK(bench.client->stats().calls == 12);
  CHECK(bench.client->stats().answered == 12);
}

TEST_CASE("Calls may be submitted before anybody is connected") {
  Bench bench(2);
  for (int i = 0; i < 4; ++i) bench.play();
  bench.until_answered();
  CHECK(bench.answers.failed() == 0);
}

TEST_CASE("What the codec refuses is answered without being sent, also behind the last reply") {
  Bench bench(1, patient(), 2);  // The server's second reply is its last.
  bench.connect();
  bench.duel(Operation::watch, "g");
  bench.play();
  bench.until_answered();
  CHECK(bench.answers.errors[0] == Error::unknown_operation);
  CHECK_FALSE(bench.answers.errors[1]);
  for (int i = 0; i < 4; ++i) {
    bench.play();
    bench.duel(Operation::watch, "g");
  }
  bench.until_answered();
  CHECK(bench.answers.failed() == 5);
  CHECK(std::ranges::count(bench.servers[0].calls, "watch g") == 0);
  CHECK(bench.client->stats().retries == 0);
}

TEST_CASE("An instance has as many connections as allowed, and its calls share them") {
  FleetOptions options = patient();
  options.connections = 3;
  Bench bench(1, options);
  bench.connect();
  CHECK(bench.client->in_flight_max() == 48);
  for (int i = 0; i < 9; ++i) bench.play();
  bench.until_answered();
  CHECK(bench.servers[0].accepted == 3);
}

TEST_CASE("A session stays at one instance by hash") {
  FleetOptions options = patient();
  options.balance = Balance::hash;
  Bench bench(3, options);
  bench.connect();
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 3; ++i) bench.play("session-" + std::to_string(i));
  }
  bench.until_answered();
  std::map<std::string, int> homes;
  for (const FakeServer& server : bench.servers) {
    for (int i = 0; i < 3; ++i) {
      const std::string call = "play session-" + std::to_string(i);
      const auto count = std::ranges::count(server.calls, call);
      CHECK((count == 0 || count == 5));
      if (count > 0) ++homes[call];
    }
  }
  CHECK(homes.size() == 3);
}

TEST_CASE("When an instance dies, what may be repeated is, elsewhere, and the rest fails") {
  Bench bench(2);
  bench.connect();
  for (FakeServer& server : bench.servers) server.answer.clear();
  for (int i = 0; i < 4; ++i) bench.play();           // May be repeated.
  for (int i = 0; i < 4; ++i) bench.play("counted");  // May not.
  bench.until([&] { return bench.servers[0].unanswered() == 4; });
  bench.servers[0].die();
  bench.servers[1].answer = "ok";
  bench.servers[1].answer_late(static_cast<int>(bench.servers[1].unanswered()));
  bench.until_answered();
  CHECK(bench.answers.failed() == 2);
  for (std::uint64_t id = 0; id < 4; ++id) CHECK_FALSE(bench.answers.errors[id]);
  CHECK(bench.client->stats().retries >= 2);
  CHECK(bench.client->stats().connections_lost == 1);
  CHECK_FALSE(bench.status(0).is_up);
}

TEST_CASE("The dead instance gets calls again when it is back, and none before") {
  Bench bench(2);
  bench.connect();
  bench.servers[0].die();
  bench.until([&] {
    bench.play();
    bench.until_answered();
    return !bench.status(0).is_up;
  });
  CHECK(bench.answers.failed() == 0);
  const std::uint64_t failures = bench.client->stats().connect_failures;
  bench.until([&] { return bench.client->stats().connect_failures >= failures + 2; });
  bench.servers[0].calls.clear();
  bench.servers[0].come_back();
  bench.until([&] { return bench.status(0).is_up; });
  for (int i = 0; i < 4; ++i) bench.play();
  bench.until_answered();
  CHECK(bench.servers[0].calls.size() == 2);
  CHECK(bench.answers.failed() == 0);
  REQUIRE(bench.notices.size() >= 2);
  CHECK_THAT(bench.notices.back(), Catch::Contains("is back"));
}

TEST_CASE("An instance that drained and closed is dialled after its back-off, not as an idle one") {
  FleetOptions options = patient();
  options.pool.probe_period = hours(1);
  Bench bench(2, options);
  bench.connect();
  bench.servers[0].answer = "unavailable";
  for (int i = 0; i < 2; ++i) bench.play();
  bench.until_answered();
  CHECK_FALSE(bench.status(0).is_up);
  bench.servers[0].die();
  const std::uint64_t failures = bench.client->stats().connect_failures;
  bench.until([&] { return bench.client->stats().connect_failures > failures; });
  bench.servers[0].answer = "ok";
  bench.servers[0].come_back();
  bench.until([&] { return bench.status(0).is_up; });
  CHECK(bench.answers.failed() == 0);
}

TEST_CASE("A call that nobody can take fails when its retries are used up") {
  Bench bench(1);
  bench.servers[0].die();
  bench.play();
  bench.until_answered();
  CHECK(bench.answers.errors[0] == Error::unavailable);
  CHECK(bench.client->stats().retries == 3);
  bench.submit({.operation = Operation::score, .session_id = "s"});
  bench.until_answered();
  CHECK(bench.answers.operations[1] == Operation::score);
}

TEST_CASE("An empty fleet answers too") {
  Bench bench(0);
  CHECK(bench.client->await_instances(Clock::now()) == 0);
  bench.play();
  bench.until_answered();
  CHECK(bench.answers.errors[0] == Error::unavailable);
}

TEST_CASE("A refused call is tried elsewhere, whatever it is") {
  Bench bench(2);
  bench.connect();
  bench.servers[0].answer = "unavailable";
  for (int i = 0; i < 4; ++i) bench.play("counted");
  bench.until_answered();
  CHECK(bench.answers.failed() == 0);
  CHECK(bench.servers[1].calls.size() == 4);
}

TEST_CASE("An overloaded instance is asked again no sooner than it wants to be") {
  Bench bench(patient(hours(1)), "overloaded 40");
  const Clock::time_point before = Clock::now();
  bench.play("counted");
  bench.until([&] { return bench.servers[0].calls.size() == 1; });
  bench.servers[0].answer = "ok";
  bench.until_answered();
  CHECK(Clock::now() - before >= milliseconds(40));
  CHECK(bench.answers.failed() == 0);
  CHECK(bench.servers[0].calls.size() == 2);
}

TEST_CASE("A retry that could not be in time is not made") {
  Bench bench(patient(seconds(10)), "overloaded 10001");
  bench.play();
  bench.until_answered();
  CHECK(bench.answers.errors[0] == Error::overloaded);
  CHECK(bench.client->stats().retries == 0);
}

TEST_CASE("Retries stop when the budget is used up") {
  FleetOptions options = patient();
  options.retry_budget = {.percent = 10, .per_second = 0, .saved_max = 100};
  Bench bench(options, "unavailable");
  for (int i = 0; i < 12; ++i) {
    bench.play();
    bench.until_answered();
  }
  CHECK(bench.client->stats().retries == 1);  // Ten calls bring one.
  CHECK(bench.client->stats().budget_denied == 12);
  CHECK(bench.servers[0].calls.size() == 13);
}

TEST_CASE("A call past its deadline is answered so, once, and its late reply is dropped") {
  Bench bench(patient(soon), "");
  bench.play();
  bench.play();
  bench.until([&] { return bench.servers[0].unanswered() == 2; });
  bench.until_answered();
  CHECK(bench.answers.errors[0] == Error::deadline_exceeded);
  CHECK(bench.client->stats().deadline_exceeded == 2);
  bench.servers[0].answer_late(2);
  bench.until([&] { return bench.client->stats().late_replies == 2; });
  CHECK(bench.answers.total == 2);

  bench.servers[0].answer = "ok";  // The connection is as good as before.
  bench.play();
  bench.until_answered();
  CHECK_FALSE(bench.answers.errors[2]);
  CHECK(bench.servers[0].accepted == 1);
}

TEST_CASE("A deadline also ends the wait for a connection") {
  FleetOptions options = patient();
  options.deadline = soon;
  options.backoff = {.first = hours(1), .max = hours(1), .jitter = {}};
  Bench bench(1, options);
  bench.servers[0].die();
  bench.play();
  bench.until_answered();
  CHECK(bench.answers.errors[0].has_value());
}

TEST_CASE("An attempt that takes too long is given up for one at another instance") {
  FleetOptions options = patient();
  options.attempt_max = soon;
  Bench bench(2, options);
  bench.connect();
  bench.servers[0].answer.clear();
  for (int i = 0; i < 8; ++i) bench.play();
  bench.until_answered();
  CHECK(bench.answers.failed() == 0);
  CHECK(bench.client->stats().slow_attempts >= 4);
  CHECK(bench.client->stats().slow_attempts == bench.client->stats().retries);
  bench.servers[0].answer_late(static_cast<int>(bench.servers[0].unanswered()));
  bench.until([&] { return bench.client->stats().late_replies >= 4; });
  CHECK(bench.answers.each_once(8));
}

TEST_CASE("An attempt that takes too long goes on when its call must not be tried again") {
  FleetOptions options = patient();
  options.attempt_max = milliseconds(1);
  Bench bench(options, "");
  bench.play("counted");
  bench.until([&] { return bench.servers[0].unanswered() == 1; });
  const Clock::time_point later = Clock::now() + soon;
  bench.until([&] { return Clock::now() > later; });
  bench.servers[0].answer_late(1);
  bench.until_answered();
  CHECK(bench.answers.failed() == 0);
  CHECK(bench.servers[0].calls.size() == 1);
  CHECK(bench.client->stats().slow_attempts == 0);
}

TEST_CASE("An attempt that waits for a connection is given up, too") {
  std::latch is_over(1);
  FleetOptions options = patient();
  options.attempt_max = soon;
  options.look_up = [&](const HostPort&) -> net::FoundAddresses {
    is_over.wait();
    return std::unexpected("never");
  };
  {
    Bench bench(1, options);
    bench.listed.listing.urls.emplace_back("line://name.test:1");
    ++bench.listed.listing.version;
    bench.until([&] { return bench.client->instances().size() == 2; });
    for (int i = 0; i < 4; ++i) bench.play("counted");
    bench.until_answered();
    CHECK(bench.answers.failed() == 0);
    is_over.count_down();
  }
}

TEST_CASE("A connection that owes an answer and stays silent is given up") {
  FleetOptions options = patient();
  options.silence_max = soon;
  options.retries_max = 0;
  Bench bench(options, "");
  bench.play();
  bench.until_answered();
  CHECK(bench.answers.errors[0] == Error::unavailable);
  bench.until([&] { return bench.servers[0].accepted == 2; });
}

TEST_CASE("A sick instance opens its breaker, and one call finds out that it is well") {
  FleetOptions options = patient();
  options.deadline = soon;
  options.breaker = {.failures_max = 3, .window = hours(1), .open = milliseconds(100)};
  Bench bench(2, options);
  bench.connect();
  bench.servers[0].answer.clear();  // Takes calls, answers none.
  bench.until([&] {
    bench.play();
    bench.until_answered();
    return bench.client->stats().breaker_opened == 1;
  });
  CHECK(bench.answers.failed() == 3);
  CHECK(bench.status(0).breaker != CircuitBreaker::State::closed);

  // The first probe fails as well.
  bench.until([&] {
    bench.play();
    bench.until_answered();
    return bench.client->stats().breaker_opened == 2;
  });
  CHECK(bench.answers.failed() == 4);

  bench.servers[0].answer = "ok";
  bench.servers[0].answer_late(static_cast<int>(bench.servers[0].unanswered()));
  bench.until([&] {
    bench.play();
    bench.until_answered();
    return bench.status(0).breaker == CircuitBreaker::State::closed;
  });
  CHECK(bench.answers.failed() == 4);
}

TEST_CASE("An instance that leaves the list gets no new calls and finishes its open ones") {
  Bench bench(2);
  bench.connect();
  bench.servers[0].answer.clear();
  bench.play();
  bench.play();
  bench.until([&] { return bench.servers[0].unanswered() == 1 && bench.answers.total == 1; });
  bench.list({1});
  for (int i = 0; i < 4; ++i) bench.play();
  bench.until([&] { return bench.answers.total == 5; });
  CHECK(bench.servers[0].calls.size() == 1);
  CHECK(bench.servers[0].connections() == 1);
  CHECK(bench.client->instances().size() == 2);

  bench.servers[0].answer_late(1);
  bench.until_answered();
  CHECK(bench.answers.failed() == 0);
  bench.until([&] { return bench.servers[0].connections() == 0; });
  CHECK(bench.client->instances().size() == 1);
}

TEST_CASE("An instance that comes back to the list before it is done goes on") {
  Bench bench(1);
  bench.connect();
  bench.servers[0].answer.clear();
  bench.play();
  bench.until([&] { return bench.servers[0].unanswered() == 1; });
  bench.list({});
  bench.list({0});
  bench.play();
  bench.until([&] { return bench.servers[0].unanswered() == 2; });
  CHECK(bench.servers[0].accepted == 1);
  bench.servers[0].answer_late(2);
  bench.until_answered();
  CHECK(bench.answers.failed() == 0);
}

TEST_CASE("An instance that joins the list gets calls at once") {
  Bench bench(3);
  bench.connect();
  bench.list({0});
  bench.until([&] { return bench.servers[2].connections() == 0; });
  bench.list({0, 2});
  for (int i = 0; i < 4; ++i) bench.play();
  bench.until_answered();
  CHECK(bench.answers.failed() == 0);
  CHECK(bench.servers[1].calls.empty());
  CHECK(bench.servers[2].calls.size() == 2);
}

TEST_CASE("What cannot be called is left out of the list, with a word") {
  Bench bench(1);
  bench.listed.listing.urls.emplace_back("other://127.0.0.1:1");
  ++bench.listed.listing.version;
  bench.until([&] { return bench.client->stats().registry_changes == 1; });
  CHECK(bench.client->instances().size() == 1);
  REQUIRE(bench.notices.size() == 1);
  CHECK_THAT(bench.notices[0], Catch::Contains("its scheme is not line"));
}

// ---- Instances with names ------------------------------------------------------------------

// What names stand for, as the test says; asked on the thread of the client's resolver.
class Names {
 public:
  void set(net::FoundAddresses found) {
    const std::lock_guard lock(mutex_);
    found_ = std::move(found);
  }

  net::LookUp look_up() {
    return [this](const HostPort&) {
      const std::lock_guard lock(mutex_);
      return found_;
    };
  }

 private:
  std::mutex mutex_;
  net::FoundAddresses found_ = std::unexpected("nobody knows name.test");
};

net::Address address_of(const FakeServer& server) {
  const auto url = parse_url(server.url());
  return *net::parse_address({.host = url->host, .port = url->port});
}

// One instance by its name, and servers that the name may stand for.
struct NamedBench : Bench {
  NamedBench(std::size_t count, Names& names) : Bench(0, named(names)) {
    for (std::size_t i = 0; i < count; ++i) servers.emplace_back();
    listed.listing.urls.emplace_back("line://name.test:1");
    ++listed.listing.version;
  }

  static FleetOptions named(Names& names) {
    FleetOptions options = patient();
    options.look_up = names.look_up();
    return options;
  }

  bool is_up() const {
    const auto statuses = client->instances();
    return !statuses.empty() && statuses.front().is_up;
  }
};

TEST_CASE("Every address of an instance's name is tried") {
  Names names;
  FakeServer closed;
  closed.die();
  NamedBench bench(1, names);
  names.set(std::vector{address_of(closed), address_of(bench.servers[0])});
  bench.until([&] { return bench.is_up(); });
  bench.play();
  bench.until_answered();
  CHECK(bench.answers.failed() == 0);
  CHECK(bench.servers[0].calls.size() == 1);
}

TEST_CASE("An instance that moves is found at the new address of its name") {
  Names names;
  NamedBench bench(2, names);
  names.set(std::vector{address_of(bench.servers[0])});
  bench.until([&] { return bench.is_up(); });
  bench.servers[0].die();
  names.set(std::vector{address_of(bench.servers[1])});
  bench.until([&] {
    bench.play();
    bench.until_answered();
    return !bench.servers[1].calls.empty();
  });
  CHECK(bench.is_up());
}

TEST_CASE("A name that is not found is reported with the reason, and looked up again") {
  Names names;
  NamedBench bench(1, names);
  bench.until([&] { return !bench.notices.empty(); });
  CHECK(bench.notices[0] == "line://name.test:1 cannot be reached: nobody knows name.test");
  names.set(std::vector{address_of(bench.servers[0])});
  bench.until([&] { return bench.is_up(); });
  bench.play();
  bench.until_answered();
  CHECK(bench.answers.failed() == 0);
}

TEST_CASE("A look-up that does not end holds up no call to another instance") {
  std::latch is_over(1);
  FleetOptions options = patient();
  options.look_up = [&](const HostPort&) -> net::FoundAddresses {
    is_over.wait();
    return std::unexpected("never");
  };
  {
    Bench bench(1, options);
    bench.listed.listing.urls.emplace_back("line://name.test:1");
    ++bench.listed.listing.version;
    bench.until([&] { return bench.client->instances().size() == 2; });
    // Half of them wait for the name.
    for (int i = 0; i < 8; ++i) bench.play();
    bench.until([&] { return bench.answers.total >= 4; });
    CHECK(bench.answers.failed() == 0);
    is_over.count_down();
  }
}

TEST_CASE("Connections that are idle for too long are closed, and opened again when needed") {
  FleetOptions options = patient();
  options.pool.idle_time_max = soon;
  Bench bench(1, options);
  bench.connect();
  bench.play();
  bench.until_answered();
  bench.until([&] { return bench.servers[0].connections() == 0; });
  CHECK(bench.client->stats().pool_idle_closed >= 1);
  bench.play();
  bench.until_answered();
  CHECK(bench.answers.failed() == 0);
}

TEST_CASE("An instance without connections is probed by connecting") {
  FleetOptions options = patient();
  options.pool = {.idle_time_max = soon, .probe_period = soon};
  Bench bench(1, options);
  bench.connect();
  bench.until([&] { return bench.servers[0].accepted >= 3; });
  bench.servers[0].die();
  bench.until([&] { return !bench.status(0).is_up; });
}

TEST_CASE("No more connections stay idle than allowed") {
  FleetOptions options = patient();
  options.connections = 8;
  options.pool.idle_max = 2;
  options.pool.surplus_time_max = soon;
  Bench bench(1, options);
  bench.connect();
  for (int i = 0; i < 8; ++i) bench.play();
  bench.until([&] { return bench.servers[0].accepted == 8; });
  bench.until_answered();
  bench.until([&] { return bench.servers[0].connections() == 2; });
}

TEST_CASE("An idle connection that the server closes is no failure") {
  Bench bench(1);
  bench.connect();
  bench.play();
  bench.until_answered();
  bench.servers[0].hang_up();
  bench.until([&] { return bench.status(0).connections == 0; });
  CHECK(bench.client->stats().connections_lost == 0);
  CHECK(bench.status(0).is_up);
  bench.play("counted");
  bench.until_answered();
  CHECK(bench.answers.failed() == 0);
}

TEST_CASE("A broken connection is replaced at once, and its calls may wait for that") {
  Bench bench(1);
  bench.connect();
  bench.servers[0].answer.clear();
  bench.play();
  bench.until([&] { return bench.servers[0].unanswered() == 1; });
  bench.servers[0].hang_up();
  bench.servers[0].answer = "ok";
  bench.until_answered();
  CHECK(bench.answers.failed() == 0);
  CHECK(bench.client->stats().retries == 1);
}

TEST_CASE("An instance that closes each connection in good order fails no call") {
  for (const std::size_t answers_max : {1, 2, 7}) {
    for (const std::size_t depth : {1, 16}) {
      CAPTURE(answers_max, depth);
      FleetOptions options = patient();
      options.depth = depth;
      options.retries_max = 0;
      options.breaker.failures_max = 1;
      Bench bench(1, options, answers_max);
      bench.connect();
      constexpr std::uint64_t calls = 300;
      bench.answers.then = [&](std::uint64_t) {
        if (bench.submitted < calls) bench.play("s");
      };
      for (std::size_t i = 0; i < depth; ++i) bench.play("s");
      bench.until_answered();
      CHECK(bench.submitted == calls);
      CHECK(bench.answers.failed() == 0);
      CHECK(bench.servers[0].calls.size() == calls);  // None was carried out twice.
      const Stats& stats = bench.client->stats();
      CHECK(stats.connections_ended == calls / answers_max);
      CHECK(stats.reconnects + 1 == stats.connects);
      CHECK(stats.connections_lost + stats.retries + stats.uncertain == 0);
      // A connection that ends with its first answer carried no other call.
      CHECK(stats.resent <= (answers_max == 1 ? 0 : depth * stats.connections_ended));
      CHECK(bench.client->instances()[0].breaker == CircuitBreaker::State::closed);
    }
  }
}

TEST_CASE("A server that talks nonsense loses its connection") {
  FleetOptions options = patient();
  options.retries_max = 0;
  Bench bench(options, "");
  bench.play();
  bench.until([&] { return bench.servers[0].unanswered() == 1; });
  bench.servers[0].say("77 ok\n");
  bench.until_answered();
  CHECK(bench.answers.errors[0] == Error::unavailable);
}

TEST_CASE("A duel's calls meet at one instance and one connection, and its events arrive") {
  FleetOptions options = patient();
  options.connections = 4;
  options.pool.idle_time_max = soon;
  Bench bench(3, options);
  bench.connect();
  for (int i = 0; i < 6; ++i) bench.duel(Operation::join, "game");
  bench.until_answered();
  const auto table = std::ranges::find_if(
      bench.servers, [](const FakeServer& server) { return !server.calls.empty(); });
  REQUIRE(table != bench.servers.end());
  CHECK(table->calls.size() == 6);
  // All others go; the one at which somebody sits stays.
  bench.until([&] {
    return std::accumulate(bench.servers.begin(), bench.servers.end(), std::size_t{0},
                           [](std::size_t sum, const FakeServer& server) {
                             return sum + server.connections();
                           }) == 1;
  });
  table->say("!game\n");
  bench.until([&] { return bench.answers.events.size() == 1; });
  CHECK(bench.answers.events[0].game_id.view() == "game");
}

TEST_CASE("Another client finds the same table") {
  Bench bench(3);
  bench.connect();
  bench.duel(Operation::join, "game");
  bench.until_answered();
  FleetOptions options = patient();
  options.seed = 99;
  options.balance = Balance::random;
  bench.client.emplace(options, make_line_protocol, std::make_unique<ListedRegistry>(bench.listed));
  bench.connect();
  bench.duel(Operation::join, "game");
  bench.until_answered();
  for (const FakeServer& server : bench.servers) {
    CHECK((server.calls.empty() || server.calls.size() == 2));
  }
}

TEST_CASE("Any mixture of deaths, returns, silence and list changes answers every call once") {
  FleetOptions options = patient();
  options.connections = 2;
  options.depth = 8;
  options.deadline = milliseconds(50);
  options.silence_max = milliseconds(60);
  options.breaker = {.failures_max = 5, .window = seconds(1), .open = milliseconds(20)};
  Bench bench(4, options);
  std::uint64_t random = 5;
  std::vector<bool> is_up(4, true);
  const auto dice = [&](std::uint64_t sides) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    return (random >> 33) % sides;
  };
  for (int i = 0; i < 1500; ++i) {
    const std::size_t which = dice(4);
    switch (dice(12)) {
      case 0:
        if (is_up[which]) bench.servers[which].die();
        is_up[which] = false;
        break;
      case 1:
        if (!is_up[which]) bench.servers[which].come_back();
        is_up[which] = true;
        break;
      case 2: bench.servers[which].answer = dice(2) ? "" : "ok"; break;
      case 3: bench.servers[which].answer = dice(2) ? "overloaded 1" : "unavailable"; break;
      case 4: bench.servers[which].hang_up(); break;
      case 5:
        bench.servers[which].answer_late(static_cast<int>(bench.servers[which].unanswered()));
        break;
      case 6: bench.list({which, (which + 1) % 4}); break;
      default:
        while (bench.submitted - bench.answers.total < bench.client->in_flight_max() && dice(8)) {
          if (dice(3) == 0) {
            bench.duel(Operation::join, "game" + std::to_string(dice(3)));
          } else {
            bench.play(dice(2) ? "counted" : "");
          }
        }
    }
    bench.step();
  }
  bench.until_answered();
  CHECK(bench.client->stats().answered == bench.submitted);
  CHECK(bench.client->stats().failed == bench.answers.failed());
  for (const InstanceStatus& status : bench.client->instances()) CHECK(status.open_calls == 0);
}

TEST_CASE("A warm client allocates nothing for a call") {
  struct Loop final : Sink {
    FleetClient* client = nullptr;
    std::uint64_t answered = 0;
    void on_reply(std::uint64_t id, const Reply&, const Stamps&) override {
      ++answered;
      client->submit(id,
                     {.move = Move::rock, .session_id = "a session of more than sixteen bytes"});
    }
    void on_event(const Event&) override {}
  };
  // The fake server allocates, so only what the client does between is counted.
  Bench bench(2);
  bench.connect();
  Loop loop;
  loop.client = &*bench.client;
  for (std::uint64_t id = 0; id < 16; ++id) {
    bench.client->submit(id, {.move = Move::rock, .session_id = "another one of such a length"});
  }
  std::uint64_t allocated = 0;
  const auto run = [&](std::uint64_t calls) {
    allocated = 0;
    for (const std::uint64_t end = loop.answered + calls; loop.answered < end;) {
      const std::uint64_t before = micro::allocation_count();
      bench.client->poll(Clock::now() + milliseconds(1), loop);
      allocated += micro::allocation_count() - before;
      for (FakeServer& server : bench.servers) server.work();
    }
  };
  run(200);
  run(2000);
  CHECK(allocated == 0);
}

}  // namespace
}  // namespace rps::fleet
