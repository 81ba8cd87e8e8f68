#include "bench/load/schedule.hpp"

#include <algorithm>
#include <cmath>

#include "tests/catch.hpp"

using rps::load::ArrivalClock;
using rps::load::Arrivals;
using rps::load::parse_phases;
using rps::load::Phase;
using rps::load::Schedule;
using rps::load::steady;

namespace {

std::vector<double> times_of(const Schedule& schedule, std::uint64_t seed = 1) {
  std::vector<double> times;
  ArrivalClock clock(schedule, seed);
  while (const auto due = clock.next()) {
    times.push_back(std::chrono::duration<double>(*due).count());
  }
  return times;
}

// The Kolmogorov-Smirnov distance between the gaps and the exponential distribution of `rate`.
double distance_from_exponential(const std::vector<double>& times, double rate) {
  std::vector<double> gaps;
  for (std::size_t i = 1; i < times.size(); ++i) gaps.push_back(times[i] - times[i - 1]);
  std::ranges::sort(gaps);
  const auto n = static_cast<double>(gaps.size());
  double distance = 0;
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    const double expected = 1 - std::exp(-rate * gaps[i]);
    const auto rank = static_cast<double>(i);
    distance = std::max({distance, (rank + 1) / n - expected, expected - rank / n});
  }
  return distance;
}

}  // namespace

TEST_CASE("constant arrivals are equally far apart") {
  const auto times = times_of(steady(Arrivals::constant, 1000, 2));
  REQUIRE(times.size() == 2000);
  for (std::size_t i = 0; i < times.size(); ++i) {
    CHECK(times[i] == Approx(static_cast<double>(i + 1) / 1000).margin(1e-8));
  }
}

TEST_CASE("the gaps of Poisson arrivals are exponential") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto times = times_of(steady(Arrivals::poisson, 5000, 4), seed);
    CHECK(std::abs(static_cast<double>(times.size()) - 20'000) < 5 * std::sqrt(20'000));
    // The distance that one sample in 10,000 exceeds (Massey 1951: 2.23 / sqrt(n)).
    const double limit = 2.23 / std::sqrt(static_cast<double>(times.size()));
    CHECK(distance_from_exponential(times, 5000) < limit);
  }
}

TEST_CASE("evenly spaced gaps are told from exponential ones") {
  const auto times = times_of(steady(Arrivals::constant, 5000, 4));
  CHECK(distance_from_exponential(times, 5000) > 0.3);
}

TEST_CASE("one seed gives one sequence, another gives another") {
  const Schedule schedule = steady(Arrivals::poisson, 1000, 1);
  CHECK(times_of(schedule, 7) == times_of(schedule, 7));
  CHECK(times_of(schedule, 7) != times_of(schedule, 8));
}

TEST_CASE("a ramp has as many calls as the area below it") {
  const Schedule ramp{.phases = {{.seconds = 10, .from_per_second = 0, .to_per_second = 1000},
                                 {.seconds = 5, .from_per_second = 1000, .to_per_second = 1000},
                                 {.seconds = 10, .from_per_second = 1000, .to_per_second = 200}}};
  CHECK(ramp.seconds() == Approx(25));
  CHECK(ramp.calls() == Approx(5000 + 5000 + 6000));
  const auto times = times_of(ramp);
  CHECK(times.size() == 16'000);
  CHECK(std::ranges::is_sorted(times));
  const auto until = [&](double second) {
    return std::ranges::upper_bound(times, second) - times.begin();
  };
  CHECK(std::abs(until(5) - 1250) <= 1);
  CHECK(std::abs(until(10) - 5000) <= 1);
  CHECK(std::abs(until(15) - 10'000) <= 1);
}

TEST_CASE("bursts come at once and leave the rate as it is") {
  Schedule schedule = steady(Arrivals::constant, 1000, 1);
  schedule.burst = 50;
  const auto times = times_of(schedule);
  CHECK(times.size() == 1000);
  CHECK(times[0] == times[49]);
  CHECK(times[50] - times[49] == Approx(0.05));
}

TEST_CASE("a rate that nobody can keep is told as it is") {
  ArrivalClock clock(steady(Arrivals::constant, 1e9, 3600), 1);
  CHECK(clock.next() == std::chrono::nanoseconds(1));
  CHECK(clock.next() == std::chrono::nanoseconds(2));
}

TEST_CASE("phases are read as they are written") {
  const auto one = parse_phases("2000", 10);
  REQUIRE(one);
  CHECK(*one == std::vector<Phase>{{10, 2000, 2000}});
  const auto ramp = parse_phases("1000..5000.5", 10);
  REQUIRE(ramp);
  CHECK(*ramp == std::vector<Phase>{{10, 1000, 5000.5}});
  const auto steps = parse_phases("5s@1000,0.5@8000,5s@1000..2000", 10);
  REQUIRE(steps);
  CHECK(*steps == std::vector<Phase>{{5, 1000, 1000}, {0.5, 8000, 8000}, {5, 1000, 2000}});
  CHECK(parse_phases(to_string(*steps), 1) == steps);
  CHECK(parse_phases("2k", 10) == one);
  CHECK(*parse_phases("500ms@1k..1.5M,1m@1e5", 10) ==
        std::vector<Phase>{{0.5, 1000, 1.5e6}, {60, 1e5, 1e5}});
}

TEST_CASE("phases that make no sense are refused with a sentence") {
  for (const char* text : {"",      "x",     "-1",    "0",      "1e10",      "nan",    "inf",
                           "1..",   "..1",   "1..x",  "1,2",    "5s@",       "@5",     "0s@5",
                           "-1s@5", "5s@1,", ",5s@1", "5s@1,2", "100000s@1", "5min@1", "0..0"}) {
    CAPTURE(text);
    const auto phases = parse_phases(text, 1);
    REQUIRE_FALSE(phases);
    CHECK(phases.error().size() > 10);
  }
}
