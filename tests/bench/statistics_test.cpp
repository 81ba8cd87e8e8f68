#include "bench/model/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "core/random.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::model;

namespace {

// Normal deviates from our own generator, two at a time from two uniform ones (Box, Muller).
class Normal {
 public:
  explicit Normal(std::uint64_t seed) : seed_(seed) {}

  double next() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }
  double uniform() { return static_cast<double>(rps::mix(seed_, draw_++) >> 11) * 0x1p-53; }

 private:
  std::uint64_t seed_;
  std::uint64_t draw_ = 0;
};

// How a machine spoils measurements: all in shares of what is measured.
struct Noise {
  double of_trial = 0.02;  // Log-normal, of each trial by itself.
  double drift = 0;        // From the first to the last trial.
  double memory = 0;       // Auto-correlation from one trial to the next of …
  double of_machine = 0;   // … what the whole machine does slowly.
};

struct Pairs {
  std::vector<double> ours, theirs;
};

// Rounds of two trials each, in an order drawn anew, as the harness measures. `effect` is what ours
// truly is of theirs.
Pairs measured(std::size_t rounds, const Noise& noise, double effect, std::uint64_t seed) {
  Normal normal(seed);
  Pairs pairs;
  double mood = noise.of_machine * normal.next();
  double progress = 0;
  const auto trial = [&](double truth) {
    mood = noise.memory * mood +
           noise.of_machine * std::sqrt(1 - noise.memory * noise.memory) * normal.next();
    progress += noise.drift / static_cast<double>(2 * rounds);
    return 20'000 * truth * std::exp(mood + progress + noise.of_trial * normal.next());
  };
  for (std::size_t round = 0; round < rounds; ++round) {
    const bool ours_first = normal.uniform() < 0.5;
    const double first = trial(ours_first ? effect : 1);
    const double second = trial(ours_first ? 1 : effect);
    pairs.ours.push_back(ours_first ? first : second);
    pairs.theirs.push_back(ours_first ? second : first);
  }
  return pairs;
}

// Whether the comparison says that they differ. The interval, which takes long, is asked only where
// the test has not settled it: a comparison with a large p is never different (see below).
bool is_alarm(const Pairs& pairs, std::uint64_t seed) {
  std::vector<double> logarithms;
  for (std::size_t i = 0; i < pairs.ours.size(); ++i) {
    logarithms.push_back(std::log(pairs.ours[i] / pairs.theirs[i]));
  }
  if (wilcoxon_p(logarithms) >= comparison_alpha) return false;
  return compare_pairs(pairs.ours, pairs.theirs, seed).tendency != Tendency::indistinguishable;
}

int alarms(int comparisons, std::size_t rounds, const Noise& noise, double effect,
           std::uint64_t seed) {
  int count = 0;
  for (int i = 0; i < comparisons; ++i) {
    const std::uint64_t own = rps::mix(seed, static_cast<std::uint64_t>(i));
    count += is_alarm(measured(rounds, noise, effect, own), own) ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE("the median is the middle, or the mean of the middle two") {
  CHECK(median({3}) == 3);
  CHECK(median({9, 1, 5}) == 5);
  CHECK(median({4, 1, 3, 2}) == 2.5);
}

TEST_CASE("an estimate over nothing is empty") {
  CHECK(estimate({}, 1).trials == 0);
}

TEST_CASE("few trials are given with their whole range") {
  const std::vector<double> values{5, 1, 4, 2, 3};
  const Estimate few = estimate(values, 1);
  CHECK(few.median == 3);
  CHECK(few.low == 1);
  CHECK(few.high == 5);
  CHECK(few.trials == 5);
}

TEST_CASE("an interval lies inside the range, holds the median and hangs on the seed only") {
  std::vector<double> values;
  for (std::uint64_t i = 0; i < 15; ++i) {
    values.push_back(100 + static_cast<double>(rps::mix(i) % 100));
  }
  const Estimate first = estimate(values, 42);
  CHECK(first.low >= 100);
  CHECK(first.high < 200);
  CHECK(first.contains(first.median));
  CHECK(first.high - first.low > 0);

  const Estimate again = estimate(values, 42);
  CHECK(again.low == first.low);
  CHECK(again.high == first.high);
}

TEST_CASE("the interval covers the true median about as often as it says") {
  int covered = 0;
  for (std::uint64_t run = 0; run < 200; ++run) {
    std::vector<double> values;
    for (std::uint64_t i = 0; i < 9; ++i) {
      values.push_back(static_cast<double>(rps::mix(run, i) >> 11) /
                       static_cast<double>(1ULL << 53));
    }
    covered += estimate(values, run).contains(0.5) ? 1 : 0;
  }
  // 95 % promised; nine values and a discrete statistic cost some of it. The draws are fixed.
  CHECK(covered >= 176);
}

TEST_CASE("ratios are taken round by round, so that a slow round drops out") {
  const std::vector<double> theirs{100, 50, 200, 80, 10, 400};
  std::vector<double> ours;
  for (const double value : theirs) ours.push_back(2 * value);
  const Estimate ratio = estimate_ratio(ours, theirs, 1);
  CHECK(ratio.median == Approx(2));
  CHECK(ratio.low == Approx(2));
  CHECK(ratio.high == Approx(2));
}

TEST_CASE("a round in which the other measured nothing makes no pair") {
  const std::vector<double> ours{1, 2};
  const std::vector<double> theirs{0, 1};
  CHECK(estimate_ratio(ours, theirs, 1).trials == 1);
}

// ---- Wilcoxon

TEST_CASE("Wilcoxon: all one way is the least that so many pairs can reach") {
  CHECK(wilcoxon_p({}) == 1);
  CHECK(wilcoxon_p(std::vector<double>{1}) == 1);
  CHECK(wilcoxon_p(std::vector<double>{1, 2, 3, 4, 5}) == Approx(0.0625));
  CHECK(wilcoxon_p(std::vector<double>{-1, -2, -3, -4, -5, -6}) == Approx(0.03125));
  CHECK(wilcoxon_p(std::vector<double>{1, 2, 3, 4, 5, 6, 7}) == Approx(0.015625));
}

// Darwin's cross- and self-fertilised maize, differences in eighths of an inch: W- = 24, and
// p = 0.041 in the textbooks that use it.
TEST_CASE("Wilcoxon: Darwin's maize") {
  const std::vector<double> maize{49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48};
  CHECK(wilcoxon_p(maize) == Approx(0.04126).margin(0.00001));
}

// Critical values of the two-sided test at 5 %: W of at most 8 for ten pairs, 52 for twenty
// (Hollander, Wolfe, Chicken, table A.4).
TEST_CASE("Wilcoxon: the tables' critical values") {
  const auto with_negative_ranks = [](int pairs, const std::vector<int>& negative) {
    std::vector<double> differences;
    for (int rank = 1; rank <= pairs; ++rank) differences.push_back(rank);
    for (const int rank : negative) differences[static_cast<std::size_t>(rank - 1)] = -rank;
    return wilcoxon_p(differences);
  };
  CHECK(with_negative_ranks(10, {8}) == Approx(0.048828).margin(1e-6));
  CHECK(with_negative_ranks(10, {9}) > 0.05);
  CHECK(with_negative_ranks(20, {20, 19, 13}) < 0.05);
  CHECK(with_negative_ranks(20, {20, 19, 14}) > 0.05);
}

TEST_CASE("Wilcoxon: zeros are left out, and ties share their ranks") {
  CHECK(wilcoxon_p(std::vector<double>{0, 0, 0}) == 1);
  CHECK(wilcoxon_p(std::vector<double>{0, 1, 2, 3, 0, 4, 5, 6, 7}) == Approx(0.015625));
  // Six equal differences: 2 of 64 choices of signs.
  CHECK(wilcoxon_p(std::vector<double>{3, 3, 3, 3, 3, 3}) == Approx(0.03125));
  // Ranks 1.5 and 1.5 and 3: the sums of the positive are 0, 1.5, 1.5, 3, 3, 4.5, 4.5, 6.
  CHECK(wilcoxon_p(std::vector<double>{1, -1, 2}) == Approx(6.0 / 8));
}

TEST_CASE("Wilcoxon: an infinite difference is a large one") {
  const double infinite = std::numeric_limits<double>::infinity();
  CHECK(wilcoxon_p(std::vector<double>{-infinite, -infinite, -1, -2, -3, -4, -5}) ==
        Approx(0.015625));
}

TEST_CASE("Wilcoxon: the normal approximation takes over where the exact test ends") {
  Normal normal(11);
  for (int run = 0; run < 50; ++run) {
    std::vector<double> differences;
    for (int i = 0; i < 25; ++i) differences.push_back(0.3 + normal.next());
    const double exact = wilcoxon_p(differences);
    differences.push_back(1e-9);  // Hardly moves the statistic.
    CHECK(wilcoxon_p(differences) == Approx(exact).margin(0.08));
  }
}

// ---- Mann and Whitney

TEST_CASE("Mann-Whitney: apart from each other, one choice of so many on either side") {
  CHECK(mann_whitney_p({}, std::vector<double>{1}) == 1);
  CHECK(mann_whitney_p(std::vector<double>{1, 2, 3}, std::vector<double>{4, 5, 6}) ==
        Approx(2.0 / 20));
  CHECK(mann_whitney_p(std::vector<double>{9, 8, 7, 6}, std::vector<double>{1, 2, 3, 4}) ==
        Approx(2.0 / 70));
  CHECK(mann_whitney_p(std::vector<double>{1, 2, 3, 4, 5}, std::vector<double>{6, 7, 8, 9, 10}) ==
        Approx(2.0 / 252));
}

// The table of Mann and Whitney 1947 for 4 and 3 values: U <= 1 has probability 0.057, U <= 2
// 0.114.
TEST_CASE("Mann-Whitney: the table of 1947") {
  const std::vector<double> three{1, 2, 4};
  CHECK(mann_whitney_p(three, std::vector<double>{3, 5, 6, 7}) == Approx(2 * 2.0 / 35));
  const std::vector<double> others{1, 2, 5};
  CHECK(mann_whitney_p(others, std::vector<double>{3, 4, 6, 7}) == Approx(2 * 4.0 / 35));
}

// Critical value of the two-sided test at 5 % for twice ten values: U of at most 23.
TEST_CASE("Mann-Whitney: the tables' critical value for ten and ten") {
  // Ranks 1 to 10 are theirs (U = 0); each step up of the greatest adds one to U.
  const auto with_u = [](int u) {
    std::vector<double> a{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    std::vector<double> b;
    const int whole = u / 10;
    for (int i = 0; i < whole; ++i) a[static_cast<std::size_t>(9 - i)] = 20 - i;
    a[static_cast<std::size_t>(9 - whole)] += u % 10;
    for (int rank = 1; rank <= 20; ++rank) {
      if (std::ranges::find(a, rank) == a.end()) b.push_back(rank);
    }
    return mann_whitney_p(a, b);
  };
  CHECK(with_u(0) == Approx(2.0 / 184'756));
  CHECK(with_u(23) < 0.05);
  CHECK(with_u(24) > 0.05);
}

TEST_CASE("Mann-Whitney: equal samples are not told apart, and sides may be swapped") {
  const std::vector<double> some{3, 3, 3, 3};
  CHECK(mann_whitney_p(some, some) == 1);
  const std::vector<double> a{1, 3, 3, 9, 12};
  const std::vector<double> b{3, 4, 9, 15};
  CHECK(mann_whitney_p(a, b) == Approx(mann_whitney_p(b, a)));
}

TEST_CASE("Mann-Whitney: the normal approximation takes over where the exact test ends") {
  Normal normal(12);
  for (int run = 0; run < 20; ++run) {
    std::vector<double> a;
    std::vector<double> b;
    for (int i = 0; i < 20; ++i) a.push_back(normal.next());
    for (int i = 0; i < 20; ++i) b.push_back(0.5 + normal.next());
    const double exact = mann_whitney_p(a, b);
    a.push_back(0.25);
    CHECK(mann_whitney_p(a, b) == Approx(exact).margin(0.1));
  }
}

// ---- Two samples without common rounds

TEST_CASE("the ratio of two runs has an interval from both") {
  const std::vector<double> base{100, 101, 99, 100, 102, 98, 100};
  std::vector<double> next;
  for (const double value : base) next.push_back(2 * value);
  const Estimate ratio = estimate_unpaired_ratio(next, base, 1);
  CHECK(ratio.median == Approx(2));
  CHECK(ratio.low < 2);
  CHECK(ratio.high > 2);
  CHECK(ratio.low > 1.95);
  CHECK(ratio.high < 2.05);
  CHECK(ratio.trials == 7);

  const std::vector<double> few{190, 210};
  const Estimate range = estimate_unpaired_ratio(few, base, 1);
  CHECK(range.low == Approx(190.0 / 102));
  CHECK(range.high == Approx(210.0 / 98));
  CHECK(range.trials == 2);
}

TEST_CASE("there is no ratio to nothing") {
  const std::vector<double> some{1, 2};
  CHECK(estimate_unpaired_ratio(some, {}, 1).trials == 0);
  CHECK(estimate_unpaired_ratio({}, some, 1).trials == 0);
  CHECK(estimate_unpaired_ratio(some, std::vector<double>{0, 0, 1}, 1).trials == 0);
}

// ---- Comparisons

TEST_CASE("a comparison without pairs says nothing") {
  const Comparison none = compare_pairs({}, {}, 1);
  CHECK(none.p == 1);
  CHECK(none.ratio.trials == 0);
  CHECK(none.tendency == Tendency::indistinguishable);
}

TEST_CASE("a comparison needs seven pairs to tell a difference, and says which way") {
  std::vector<double> theirs{100, 101, 99, 100, 102, 98};
  std::vector<double> ours;
  for (const double value : theirs) ours.push_back(1.5 * value);
  CHECK(compare_pairs(ours, theirs, 1).tendency == Tendency::indistinguishable);
  ours.push_back(151);
  theirs.push_back(100);
  CHECK(compare_pairs(ours, theirs, 1).tendency == Tendency::higher);
  CHECK(compare_pairs(theirs, ours, 1).tendency == Tendency::lower);
}

TEST_CASE("what is called different has a small p and an interval without 1") {
  int different = 0;
  for (std::uint64_t run = 0; run < 200; ++run) {
    const Pairs pairs = measured(8, {.of_trial = 0.05}, 1.05, run);
    const Comparison comparison = compare_pairs(pairs.ours, pairs.theirs, run);
    const bool expected = comparison.p < comparison_alpha && !comparison.ratio.contains(1);
    CHECK((comparison.tendency != Tendency::indistinguishable) == expected);
    CHECK(comparison.smallest_effect == Approx((comparison.ratio.high - comparison.ratio.low) / 2));
    different += expected ? 1 : 0;
  }
  CHECK(different > 10);
  CHECK(different < 190);
}

// The draws are fixed, so these counts do not change from run to run.
TEST_CASE("a thing is seldom found different from itself") {
  const Noise quiet{};
  const Noise drifting{.of_trial = 0.02, .drift = 0.3};
  const Noise moody{.of_trial = 0.02, .memory = 0.8, .of_machine = 0.1};
  for (const std::size_t rounds : {7, 10}) {
    for (const Noise& noise : {quiet, drifting, moody}) {
      const int found = alarms(2'000, rounds, noise, 1, rounds);
      INFO("rounds " << rounds << ", drift " << noise.drift << ", memory " << noise.memory);
      CHECK(found <= 60);
      CHECK(found > 0);
    }
  }
}

TEST_CASE("twenty comparisons of a thing with itself give at most one alarm, nearly always") {
  for (const std::size_t rounds : {7, 10}) {
    int kept = 0;
    for (std::uint64_t repeat = 0; repeat < 2'000; ++repeat) {
      kept += alarms(20, rounds, {}, 1, rps::mix(rounds, repeat)) <= 1 ? 1 : 0;
    }
    INFO("rounds " << rounds);
    CHECK(kept >= 1'900);  // Of 2,000; chance alone would give 1,923 and 1,940.
  }
}

TEST_CASE("a tenth more is seen through the usual noise") {
  for (const std::size_t rounds : {7, 10}) {
    for (const double effect : {1.1, 1 / 1.1}) {
      INFO("rounds " << rounds << ", effect " << effect);
      CHECK(alarms(200, rounds, {}, effect, 5) >= 198);
    }
  }
}
