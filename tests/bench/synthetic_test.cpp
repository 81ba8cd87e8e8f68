#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "tests/bench/synthetic/due_queue.hpp"
#include "tests/bench/synthetic/script.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using rps::Clock;
using rps::synthetic::Delay;
using rps::synthetic::DueQueue;
using rps::synthetic::Fate;
using rps::synthetic::Script;

namespace {

Delay delay_of(std::string_view text) {
  const auto delay = Delay::parse(text);
  REQUIRE(delay);
  return *delay;
}

std::vector<double> draw_ms(std::string_view delay, std::size_t count) {
  Script script({.delay = delay_of(delay), .seed = 7});
  std::vector<double> drawn;
  for (std::size_t i = 0; i < count; ++i) {
    drawn.push_back(std::chrono::duration<double, std::milli>(script.next().delay).count());
  }
  std::ranges::sort(drawn);
  return drawn;
}

}  // namespace

TEST_CASE("a fixed delay is the same each time") {
  for (const double ms : draw_ms("fixed:1.5ms", 100)) CHECK(ms == 1.5);
  CHECK(draw_ms("fixed:250us", 1).front() == 0.25);
  CHECK(draw_ms("fixed:2s", 1).front() == 2000);
  CHECK(draw_ms("fixed:40ns", 1).front() == 4e-5);
  CHECK(draw_ms("fixed:1m", 1).front() == 60'000);
}

// The largest distance between what was drawn and the distribution, as Kolmogorov and Smirnov
// measure it; of 100,000 drawn, one in a thousand series is further away than 0.0062.
TEST_CASE("an exponential delay is exponentially distributed") {
  const std::vector<double> drawn = draw_ms("exp:2ms", 100'000);
  double distance = 0;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const double expected = 1 - std::exp(-drawn[i] / 2);
    const double share = static_cast<double>(i) / static_cast<double>(drawn.size());
    distance = std::max(distance, std::abs(expected - share));
  }
  CHECK(distance < 0.0062);
  CHECK(drawn.back() > 2 * 8);  // The tail is there: the mean of the largest is 24 ms.
}

TEST_CASE("a bimodal delay is the second with its probability") {
  const std::vector<double> drawn = draw_ms("bimodal:1ms,20ms,0.01", 100'000);
  const auto slow = std::ranges::count(drawn, 20.0);
  CHECK(std::ranges::count(drawn, 1.0) + slow == 100'000);
  CHECK(slow > 900);  // Three standard deviations.
  CHECK(slow < 1100);
}

TEST_CASE("what is no delay is refused") {
  for (const char* text :
       {"", "fixed", "fixed:", "fixed:1", "fixed:ms", "fixed:-1ms", "fixed:1ms,2ms", "fixed:1min",
        "fixed:nanms", "fixed:infs", "fixed:1ms ", "exp:1ms,1ms,0.5", "bimodal:1ms",
        "bimodal:1ms,2ms", "bimodal:1ms,2ms,1.5", "bimodal:1ms,2ms,x", "bimodal:1ms,2ms,0.1,",
        "uniform:1ms", "1ms"}) {
    INFO(text);
    CHECK_FALSE(Delay::parse(text));
  }
}

TEST_CASE("mistakes come in the shares that were asked for") {
  Script script({.delay = delay_of("fixed:1ms"), .wrong = 0.1, .error = 0.2, .seed = 3});
  std::array<int, 3> fates{};
  for (int i = 0; i < 100'000; ++i) ++fates[static_cast<std::size_t>(script.next().fate)];
  CHECK(std::abs(fates[0] - 70'000) < 500);
  CHECK(std::abs(fates[1] - 10'000) < 350);
  CHECK(std::abs(fates[2] - 20'000) < 450);
  CHECK(script.summary().starts_with("right=" + std::to_string(fates[0]) +
                                     " wrong=" + std::to_string(fates[1]) +
                                     " error=" + std::to_string(fates[2]) + " answered=0 "));
  script.answered(100ns);
  script.answered(300ns);
  CHECK(script.summary().ends_with(" answered=2 late_mean_ns=200 late_max_ns=300"));
}

TEST_CASE("a share of one is everything, and mistakes do not depend on the delay") {
  Script all_wrong({.delay = delay_of("exp:1ms"), .wrong = 1});
  Script all_errors({.delay = delay_of("exp:1ms"), .error = 1});
  for (int i = 0; i < 1000; ++i) {
    CHECK(all_wrong.next().fate == Fate::wrong);
    CHECK(all_errors.next().fate == Fate::error);
  }

  Script script({.delay = delay_of("bimodal:0ms,1ms,0.5"), .error = 0.5});
  int slow_errors = 0;
  for (int i = 0; i < 10'000; ++i) {
    const Script::Step step = script.next();
    if (step.fate == Fate::error && step.delay > 0ms) ++slow_errors;
  }
  CHECK(std::abs(slow_errors - 2500) < 150);
}

TEST_CASE("one seed gives one series") {
  const auto series = [](std::uint64_t seed) {
    Script script({.delay = delay_of("exp:1ms"), .seed = seed});
    std::vector<Clock::duration> delays;
    for (int i = 0; i < 100; ++i) delays.push_back(script.next().delay);
    return delays;
  };
  CHECK(series(1) == series(1));
  CHECK(series(1) != series(2));
}

TEST_CASE("what is due first comes first, and what is due at once in order") {
  DueQueue<int> queue;
  const Clock::time_point now = Clock::now();
  for (const int ms : {5, 1, 9, 1, 5, 0}) queue.push(now + std::chrono::milliseconds(ms), ms);
  queue.push(now + 1ms, 100);
  std::vector<int> order;
  while (!queue.empty()) {
    CHECK(queue.next_at() >= now);
    order.push_back(queue.pop());
  }
  CHECK(order == std::vector{0, 1, 1, 100, 5, 5, 9});
}
