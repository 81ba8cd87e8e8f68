// From trials to statements. The trial is the unit: requests of one trial hang together, so only
// whole trials may be resampled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rps::load {

// A median with the range in which it lies.
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

}  // namespace rps::load
