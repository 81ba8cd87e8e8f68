#include "bench/load/statistics.hpp"

#include <algorithm>
#include <cassert>

#include "core/random.hpp"

namespace rps::load {

namespace {

constexpr std::size_t resamples = 10'000;

// Reorders `values`.
double median_in_place(std::span<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace

double median(std::vector<double> values) {
  assert(!values.empty());
  return median_in_place(values);
}

Estimate estimate(std::span<const double> values, std::uint64_t seed) {
  if (values.empty()) return {};
  const auto [lowest, highest] = std::ranges::minmax(values);
  Estimate result{.median = median({values.begin(), values.end()}),
                  .low = lowest,
                  .high = highest,
                  .trials = values.size()};
  if (values.size() < trials_for_interval) return result;

  std::vector<double> medians(resamples);
  std::vector<double> drawn(values.size());
  std::uint64_t draw = 0;
  for (double& resampled : medians) {
    for (double& value : drawn) {
      value = values[below(static_cast<std::uint32_t>(values.size()), mix(seed, draw++))];
    }
    resampled = median_in_place(drawn);
  }
  std::ranges::sort(medians);
  result.low = medians[resamples * 25 / 1000];
  result.high = medians[resamples * 975 / 1000 - 1];
  return result;
}

Estimate estimate_ratio(std::span<const double> ours, std::span<const double> theirs,
                        std::uint64_t seed) {
  assert(ours.size() == theirs.size());
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (theirs[i] > 0) ratios.push_back(ours[i] / theirs[i]);
  }
  return estimate(ratios, seed);
}

}  // namespace rps::load
