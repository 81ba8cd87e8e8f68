#include "bench/scenarios/fault.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "tests/catch.hpp"

using namespace rps;
using namespace rps::scenarios;
using namespace std::chrono_literals;

namespace {

constexpr double per_second = 1000;
const Clock::time_point opened = Clock::time_point() + 1h;
const Clock::time_point closed = opened + 4s;
const FaultTimes killed{.began = opened + 1s, .ended = opened + 2s, .rejoined = opened + 2250ms};

using Times = std::vector<Clock::time_point>;

// An answer each millisecond of the window.
Times steady() {
  Times times;
  for (Clock::time_point at = opened; at < closed; at += 1ms) times.push_back(at);
  return times;
}

// Without those in which a share of `of` is lost, from `from` to `to` after the opening.
Times without(Times times, Clock::duration from, Clock::duration to, std::size_t of = 1) {
  std::size_t seen = 0;
  std::erase_if(times, [&](Clock::time_point at) {
    return at >= opened + from && at < opened + to && seen++ % of == 0;
  });
  return times;
}

model::FaultEffect judged(const Times& times, const FaultTimes& fault = killed) {
  return judge_fault(fault, times, per_second, opened, closed).value();
}

}  // namespace

TEST_CASE("a fault that nobody notices leaves no gap, and the rate full") {
  const model::FaultEffect effect = judged(steady());
  CHECK(effect.began_seconds == Approx(1));
  CHECK(effect.ended_seconds == Approx(2));
  CHECK(effect.gap_seconds == Approx(0.001));
  CHECK(effect.recovered_seconds == 0);
  CHECK(*effect.rejoined_seconds == Approx(0.25));
}

TEST_CASE("the longest gap is the one behind the beginning of the fault") {
  CHECK(judged(without(steady(), 200ms, 900ms)).gap_seconds == Approx(0.001));
  CHECK(judged(without(steady(), 1s, 1300ms)).gap_seconds == Approx(0.3));
  CHECK(judged(without(without(steady(), 1s, 1100ms), 3s, 3500ms)).gap_seconds == Approx(0.501));
  CHECK(judged(without(steady(), 3200ms, 4s)).gap_seconds == Approx(0.801));
  CHECK(judged({}).gap_seconds == Approx(3));
}

TEST_CASE("the rate is full again when it stays so, whoever answers") {
  // A third is not answered until then: a twentieth may be lacking.
  const auto third = judged(without(steady(), 1s, 1500ms, 3)).recovered_seconds;
  REQUIRE(third);
  CHECK(*third > 0.45);
  CHECK(*third <= 0.5);
  CHECK(judged(without(steady(), 1s, 4s, 50)).recovered_seconds == 0);
  // Full for a moment only, and then not again.
  const auto relapse = judged(without(without(steady(), 1s, 1300ms), 1500ms, 1900ms));
  REQUIRE(relapse.recovered_seconds);
  CHECK(*relapse.recovered_seconds > 0.85);
  CHECK(*relapse.recovered_seconds <= 0.9);
}

TEST_CASE("a rate that is not full again by the end has no time") {
  CHECK_FALSE(judged(without(steady(), 1s, 4s, 3)).recovered_seconds);
  CHECK_FALSE(judged(without(steady(), 1s, 3800ms, 3)).recovered_seconds);
  CHECK_FALSE(judged({}).recovered_seconds);
}

TEST_CASE("what did not happen in the window has no effect") {
  CHECK_FALSE(judge_fault({}, steady(), per_second, opened, closed));
  CHECK_FALSE(judge_fault({.began = opened + 1s}, steady(), per_second, opened, closed));
  const FaultTimes never_used{.began = killed.began, .ended = killed.ended};
  CHECK_FALSE(judged(steady(), never_used).rejoined_seconds);
}
