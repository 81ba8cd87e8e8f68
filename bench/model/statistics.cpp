#include "bench/model/statistics.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/random.hpp"

namespace rps::model {

namespace {

constexpr std::size_t resamples = 10'000;

// Above, the exact distributions are the normal one to four digits.
constexpr std::size_t wilcoxon_exact_max = 25;
constexpr std::size_t mann_whitney_exact_max = 40;

// Reorders `values`.
double median_in_place(std::span<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

// Draws samples of its own size from a sample, with replacement, and tells their medians.
class Resampler {
 public:
  Resampler(std::span<const double> values, std::uint64_t seed)
      : values_(values), seed_(seed), drawn_(values.size()) {}

  double next_median() {
    const auto bound = static_cast<std::uint32_t>(values_.size());
    for (double& value : drawn_) value = values_[below(bound, mix(seed_, draw_++))];
    return median_in_place(drawn_);
  }

 private:
  std::span<const double> values_;
  std::uint64_t seed_;
  std::vector<double> drawn_;
  std::uint64_t draw_ = 0;
};

// The middle 95 % of what resampling gave.
void take_interval(std::vector<double> resampled, Estimate& estimate) {
  std::ranges::sort(resampled);
  estimate.low = resampled[resampled.size() * 25 / 1000];
  estimate.high = resampled[resampled.size() * 975 / 1000 - 1];
}

// Twice the rank of each value, ties sharing the mean of theirs: twice, so that all are integers.
struct Ranking {
  std::vector<std::size_t> doubled_ranks;
  double tie_sum = 0;  // Of t^3 - t over groups of t equal values.
};

Ranking rank(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });

  Ranking ranking{.doubled_ranks = std::vector<std::size_t>(values.size())};
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) ranking.doubled_ranks[order[i]] = begin + 1 + end;
    const auto tied = static_cast<double>(end - begin);
    ranking.tie_sum += tied * tied * tied - tied;
    begin = end;
  }
  return ranking;
}

// Two-sided p of a standard normal deviation.
double normal_p(double deviation) {
  return std::min(1.0, std::erfc(std::abs(deviation) / std::numbers::sqrt2));
}

// Of a statistic on integers, half a step nearer to its mean.
double normal_p(double difference, double variance) {
  if (variance <= 0) return 1;
  return normal_p(std::max(0.0, std::abs(difference) - 0.5) / std::sqrt(variance));
}

// The share of `ways` whose sum is at least as far from `mean` as `observed`; the index is the sum.
double share_as_far(const std::vector<double>& ways, std::size_t mean, std::size_t observed) {
  const auto distance = [mean](std::size_t sum) { return sum > mean ? sum - mean : mean - sum; };
  double total = 0;
  double far = 0;
  for (std::size_t sum = 0; sum < ways.size(); ++sum) {
    total += ways[sum];
    if (distance(sum) >= distance(observed)) far += ways[sum];
  }
  return far / total;
}

// In how many ways a choice of the ranks sums up to each number.
std::vector<double> ways_to_choose(const std::vector<std::size_t>& doubled_ranks) {
  const std::size_t sum_max =
      std::accumulate(doubled_ranks.begin(), doubled_ranks.end(), std::size_t{0});
  std::vector<double> ways(sum_max + 1);
  ways[0] = 1;
  for (const std::size_t each : doubled_ranks) {
    for (std::size_t sum = sum_max; sum >= each; --sum) ways[sum] += ways[sum - each];
  }
  return ways;
}

// The same of choices of exactly `size` ranks.
std::vector<double> ways_to_choose(const std::vector<std::size_t>& doubled_ranks,
                                   std::size_t size) {
  const std::size_t sum_max =
      std::accumulate(doubled_ranks.begin(), doubled_ranks.end(), std::size_t{0});
  std::vector<std::vector<double>> ways(size + 1, std::vector<double>(sum_max + 1));
  ways[0][0] = 1;
  for (const std::size_t each : doubled_ranks) {
    for (std::size_t chosen = size; chosen > 0; --chosen) {
      for (std::size_t sum = sum_max; sum >= each; --sum) {
        ways[chosen][sum] += ways[chosen - 1][sum - each];
      }
    }
  }
  return ways[size];
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
  if (values.size() < trials_for_interval || lowest == highest) return result;

  std::vector<double> medians(resamples);
  Resampler resampler(values, seed);
  std::ranges::generate(medians, [&] { return resampler.next_median(); });
  take_interval(std::move(medians), result);
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

Estimate estimate_unpaired_ratio(std::span<const double> ours, std::span<const double> theirs,
                                 std::uint64_t seed) {
  if (ours.empty() || theirs.empty()) return {};
  const auto [our_lowest, our_highest] = std::ranges::minmax(ours);
  const auto [their_lowest, their_highest] = std::ranges::minmax(theirs);
  const double base = median({theirs.begin(), theirs.end()});
  if (base <= 0 || their_lowest <= 0) return {};
  Estimate result{.median = median({ours.begin(), ours.end()}) / base,
                  .low = our_lowest / their_highest,
                  .high = our_highest / their_lowest,
                  .trials = std::min(ours.size(), theirs.size())};
  if (result.trials < trials_for_interval) return result;

  std::vector<double> ratios(resamples);
  Resampler our_resampler(ours, mix(seed, 0));
  Resampler their_resampler(theirs, mix(seed, 1));
  std::ranges::generate(
      ratios, [&] { return our_resampler.next_median() / their_resampler.next_median(); });
  take_interval(std::move(ratios), result);
  return result;
}

Comparison compare_pairs(std::span<const double> ours, std::span<const double> theirs,
                         std::uint64_t seed) {
  Comparison comparison{.ratio = estimate_ratio(ours, theirs, seed)};
  std::vector<double> logarithms;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (theirs[i] > 0) logarithms.push_back(std::log(ours[i] / theirs[i]));
  }
  comparison.p = wilcoxon_p(logarithms);
  comparison.smallest_effect = (comparison.ratio.high - comparison.ratio.low) / 2;
  if (comparison.p < comparison_alpha && !comparison.ratio.contains(1)) {
    comparison.tendency = comparison.ratio.median > 1 ? Tendency::higher : Tendency::lower;
  }
  return comparison;
}

double wilcoxon_p(std::span<const double> differences) {
  std::vector<double> sizes;
  std::vector<bool> is_positive;
  for (const double difference : differences) {
    if (difference == 0) continue;
    sizes.push_back(std::abs(difference));
    is_positive.push_back(difference > 0);
  }
  if (sizes.empty()) return 1;

  const Ranking ranking = rank(sizes);
  std::size_t positive = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (is_positive[i]) positive += ranking.doubled_ranks[i];
  }
  const std::size_t mean = sizes.size() * (sizes.size() + 1) / 2;  // Of the doubled sum.
  if (sizes.size() <= wilcoxon_exact_max) {
    return share_as_far(ways_to_choose(ranking.doubled_ranks), mean, positive);
  }
  const auto n = static_cast<double>(sizes.size());
  const double difference = (static_cast<double>(positive) - static_cast<double>(mean)) / 2;
  return normal_p(difference, n * (n + 1) * (2 * n + 1) / 24 - ranking.tie_sum / 48);
}

double mann_whitney_p(std::span<const double> a, std::span<const double> b) {
  if (a.empty() || b.empty()) return 1;
  std::vector<double> all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  const Ranking ranking = rank(all);
  const auto& ranks = ranking.doubled_ranks;
  const std::size_t sum_of_a = std::accumulate(
      ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(a.size()), std::size_t{0});
  const std::size_t mean = a.size() * (all.size() + 1);  // Of the doubled sum.
  if (all.size() <= mann_whitney_exact_max) {
    return share_as_far(ways_to_choose(ranks, a.size()), mean, sum_of_a);
  }
  const auto n = static_cast<double>(all.size());
  const auto pairs = static_cast<double>(a.size()) * static_cast<double>(b.size());
  const double difference = (static_cast<double>(sum_of_a) - static_cast<double>(mean)) / 2;
  return normal_p(difference, pairs / 12 * (n + 1 - ranking.tie_sum / (n * (n - 1))));
}

}  // namespace rps::model
