// Estimates and tests over trials. The unit is the trial: the requests of one trial are not
// independent of each other, so only whole trials may be resampled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rps::model {

// A median with its interval.
struct Estimate {
  double median = 0;
  double low = 0;
  double high = 0;
  std::size_t trials = 0;

  bool contains(double value) const { return low <= value && value <= high; }
};

// Fewer trials than this cannot carry a 95 % interval of their median: even the range from the
// lowest to the highest of n covers it with probability 1 - 2^(1-n) only, 93.8 % for five.
inline constexpr std::size_t trials_for_interval = 6;

// REQUIRES: not empty. The mean of the middle two when their number is even.
double median(std::vector<double> values);

// The median with its 95 % percentile-bootstrap interval (Efron; 10,000 resamples drawn from
// `seed`), or with the lowest and highest value when there are fewer than trials_for_interval.
// Without values everything is zero.
Estimate estimate(std::span<const double> values, std::uint64_t seed);

// The same for the ratios ours[i] / theirs[i] of values measured in the same round i, so that what
// disturbs a whole round drops out. REQUIRES: equally many of both.
Estimate estimate_ratio(std::span<const double> ours, std::span<const double> theirs,
                        std::uint64_t seed);

// median(ours) / median(theirs) of samples that have no rounds in common, as of two runs: both are
// resampled. `trials` is the number of the smaller sample; with fewer than trials_for_interval the
// range is that of the extreme ratios. Empty when either is, or the median of theirs is not above
// zero.
Estimate estimate_unpaired_ratio(std::span<const double> ours, std::span<const double> theirs,
                                 std::uint64_t seed);

// Where a ratio lies against 1.
enum class Tendency : std::uint8_t { indistinguishable, higher, lower };

// Ours against theirs.
struct Comparison {
  Estimate ratio;  // As estimate_ratio() says.
  // Of the Wilcoxon signed-rank test on the logarithms of the ratios, two-sided; 1 without pairs.
  double p = 1;
  // The smallest |ratio - 1| that this run could have detected, approximately: half the width of
  // the interval.
  double smallest_effect = 0;
  // Different only when p < comparison_alpha and the interval does not contain 1. With both
  // conditions, twenty comparisons of a cell with itself seldom give more than one false alarm.
  Tendency tendency = Tendency::indistinguishable;
};

// Seven pairs that all point one way reach p = 0.016; fewer pairs cannot tell a difference. Of
// twenty comparisons of a thing with itself, at most one is a false alarm in 95 % of all cases when
// each has a chance of at most 0.0177 to be one.
inline constexpr double comparison_alpha = 0.0175;

// REQUIRES: equally many of both, measured in the same round at the same index.
Comparison compare_pairs(std::span<const double> ours, std::span<const double> theirs,
                         std::uint64_t seed);

// Two-sided p of the Wilcoxon signed-rank test that `differences` are symmetric about zero. Exact
// up to 25 differences, with ties too (every choice of signs over the mean ranks); beyond, by the
// normal approximation with tie and continuity correction. Zeros are left out; 1 when none is
// left. Source: Wilcoxon 1945; Hollander, Wolfe, Chicken, 3.1.
double wilcoxon_p(std::span<const double> differences);

// Two-sided p of the Mann-Whitney U test that neither of two independent samples tends to be
// greater. Exact up to 40 values in both together, with ties too (every choice of mean ranks);
// beyond, by the normal approximation with tie and continuity correction. 1 when one is empty.
// Source: Mann, Whitney 1947; Hollander, Wolfe, Chicken, 4.1.
double mann_whitney_p(std::span<const double> a, std::span<const double> b);

}  // namespace rps::model
