// Every transition of the breaker, on a clock that the test sets.
#include "core/fleet/circuit_breaker.hpp"

#include <vector>

#include "tests/catch.hpp"

namespace rps::fleet {

// Found by Catch where a State is printed.
inline std::ostream& operator<<(std::ostream& out, CircuitBreaker::State state) {
  switch (state) {
    case CircuitBreaker::State::closed: return out << "closed";
    case CircuitBreaker::State::open: return out << "open";
    case CircuitBreaker::State::half_open: return out << "half_open";
  }
  return out;
}

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = CircuitBreaker::State;
using Ticket = CircuitBreaker::Ticket;

constexpr Clock::time_point start{std::chrono::hours(1)};
constexpr BreakerOptions three_in_ten{
    .failures_max = 3, .window = seconds(10), .open = seconds(60)};

// A breaker and the time.
struct Bench {
  CircuitBreaker breaker{three_in_ten};
  Clock::time_point now = start;

  Ticket allow() {
    const auto ticket = breaker.allow(now);
    REQUIRE(ticket);
    return *ticket;
  }
  bool fail() { return breaker.on_failure(allow(), now); }
  void succeed() { breaker.on_success(allow(), now); }
  State state() const { return breaker.state(now); }

  void open() {
    for (int i = 0; i < 3; ++i) fail();
    REQUIRE(state() == State::open);
  }
  void half_open() {
    open();
    now += seconds(60);
    REQUIRE(state() == State::half_open);
  }
};

TEST_CASE("The breaker's figures are the articles'") {
  const BreakerOptions options;
  CHECK(options.failures_max == 20);
  CHECK(options.window == seconds(10));
  CHECK(options.open == seconds(60));
}

TEST_CASE("A closed breaker lets everything through and opens with the last failure allowed") {
  Bench bench;
  CHECK_FALSE(bench.fail());
  CHECK_FALSE(bench.fail());
  CHECK(bench.state() == State::closed);
  CHECK(bench.breaker.would_allow(bench.now));
  CHECK(bench.fail());
  CHECK(bench.state() == State::open);
  CHECK_FALSE(bench.breaker.would_allow(bench.now));
  CHECK_FALSE(bench.breaker.allow(bench.now));
}

TEST_CASE("Only failures within one window are counted together") {
  struct Row {
    std::vector<milliseconds> failures_at;
    State state;
  };
  for (const Row& row : std::vector<Row>{
           {{milliseconds(0), milliseconds(0), milliseconds(10'000)}, State::open},
           {{milliseconds(0), milliseconds(0), milliseconds(10'001)}, State::closed},
           {{milliseconds(0), milliseconds(9'000), milliseconds(10'001)}, State::closed},
           {{milliseconds(0), milliseconds(9'000), milliseconds(10'001), milliseconds(19'000)},
            State::open},
           {{milliseconds(0), milliseconds(6'000), milliseconds(12'000), milliseconds(18'000)},
            State::closed},
       }) {
    Bench bench;
    for (const milliseconds at : row.failures_at) {
      bench.now = start + at;
      bench.fail();
    }
    CHECK(bench.state() == row.state);
  }
}

TEST_CASE("Successes do not wash failures away") {
  Bench bench;
  bench.fail();
  bench.fail();
  for (int i = 0; i < 100; ++i) bench.succeed();
  CHECK(bench.fail());
}

TEST_CASE("An open breaker lets nothing through until its time is over") {
  Bench bench;
  bench.open();
  bench.now += seconds(60) - Clock::duration(1);
  CHECK(bench.state() == State::open);
  CHECK_FALSE(bench.breaker.allow(bench.now));
  bench.now += Clock::duration(1);
  CHECK(bench.state() == State::half_open);
  CHECK(bench.breaker.would_allow(bench.now));
}

TEST_CASE("A half-open breaker lets exactly one call through") {
  Bench bench;
  bench.half_open();
  bench.allow();
  CHECK(bench.state() == State::half_open);
  CHECK_FALSE(bench.breaker.would_allow(bench.now));
  CHECK_FALSE(bench.breaker.allow(bench.now));
  bench.now += seconds(3600);
  CHECK_FALSE(bench.breaker.allow(bench.now));
}

TEST_CASE("The probe decides") {
  Bench bench;
  bench.half_open();
  SECTION("a success closes, and failures are counted anew") {
    bench.succeed();
    CHECK(bench.state() == State::closed);
    bench.fail();
    bench.fail();
    CHECK(bench.state() == State::closed);
    CHECK(bench.fail());
  }
  SECTION("a failure opens again, for the whole time") {
    CHECK(bench.fail());
    CHECK(bench.state() == State::open);
    bench.now += seconds(60) - Clock::duration(1);
    CHECK(bench.state() == State::open);
    bench.now += Clock::duration(1);
    bench.succeed();
    CHECK(bench.state() == State::closed);
  }
  SECTION("a probe that was never sent gives its place to another") {
    bench.breaker.on_abandoned(bench.allow());
    CHECK(bench.state() == State::half_open);
    bench.succeed();
    CHECK(bench.state() == State::closed);
  }
}

TEST_CASE("Outcomes of calls from before a change of state count for nothing") {
  Bench bench;
  const Ticket early = bench.allow();
  SECTION("while it is open") {
    bench.open();
    CHECK_FALSE(bench.breaker.on_failure(early, bench.now));
    bench.breaker.on_success(early, bench.now);
    CHECK(bench.state() == State::open);
  }
  SECTION("while the probe is out") {
    bench.half_open();
    bench.allow();
    bench.breaker.on_success(early, bench.now);
    CHECK_FALSE(bench.breaker.on_failure(early, bench.now));
    bench.breaker.on_abandoned(early);
    CHECK(bench.state() == State::half_open);
    CHECK_FALSE(bench.breaker.would_allow(bench.now));
  }
  SECTION("after it has closed again") {
    bench.half_open();
    bench.succeed();
    for (int i = 0; i < 10; ++i) CHECK_FALSE(bench.breaker.on_failure(early, bench.now));
    CHECK(bench.state() == State::closed);
  }
  SECTION("nor does a ticket that nobody gave") {
    for (int i = 0; i < 10; ++i) CHECK_FALSE(bench.breaker.on_failure(Ticket(), bench.now));
    CHECK(bench.state() == State::closed);
  }
}

TEST_CASE("One failure is enough where one is the limit") {
  CircuitBreaker breaker({.failures_max = 1, .window = seconds(1), .open = seconds(1)});
  CHECK(breaker.on_failure(*breaker.allow(start), start));
  CHECK(breaker.state(start) == State::open);
}

}  // namespace
}  // namespace rps::fleet
