#include "bench/load/distribution.hpp"

#include <algorithm>
#include <utility>

namespace rps::load {

namespace {

using Bucket = Distribution::Bucket;

// Both ascend, and so does the result.
std::vector<Bucket> merged(const std::vector<Bucket>& a, const std::vector<Bucket>& b) {
  std::vector<Bucket> all;
  all.reserve(a.size() + b.size());
  std::ranges::merge(a, b, std::back_inserter(all), {}, &Bucket::index, &Bucket::index);
  std::vector<Bucket> result;
  for (const Bucket& bucket : all) {
    if (!result.empty() && result.back().index == bucket.index) {
      result.back().count += bucket.count;
    } else {
      result.push_back(bucket);
    }
  }
  return result;
}

}  // namespace

Distribution::Distribution(const Histogram& histogram)
    : count(histogram.count()),
      mean_ns(histogram.mean_ns()),
      min_ns(static_cast<double>(histogram.min().count())),
      max_ns(static_cast<double>(histogram.max().count())) {
  for (std::size_t i = 0; i < Histogram::bucket_count; ++i) {
    const std::uint64_t in_bucket = histogram.count_in(i);
    if (in_bucket > 0) {
      buckets.push_back({.index = static_cast<std::uint32_t>(i), .count = in_bucket});
    }
  }
}

double Distribution::quantile_ns(double q) const {
  if (count == 0) return 0;
  const std::uint64_t wanted = Histogram::rank_of(q, count);
  std::uint64_t seen = 0;
  for (const Bucket& bucket : buckets) {
    seen += bucket.count;
    if (seen < wanted) continue;
    return std::min(static_cast<double>(Histogram::last_value_of(bucket.index)), max_ns);
  }
  return max_ns;
}

std::optional<double> Distribution::supported_quantile_ns(double q) const {
  return Histogram::supports(q, count) ? std::optional(quantile_ns(q)) : std::nullopt;
}

std::uint64_t Distribution::count_up_to(double ns) const {
  if (ns < 0) return 0;
  const auto value_max = static_cast<double>(Histogram::value_max);
  const auto value = static_cast<std::uint64_t>(std::min(ns, value_max));
  const std::size_t last = Histogram::bucket_of(value);
  std::uint64_t seen = 0;
  for (const Bucket& bucket : buckets) {
    if (bucket.index > last) break;
    seen += bucket.count;
  }
  return seen;
}

void Distribution::merge(const Distribution& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  const auto ours = static_cast<double>(count);
  const auto theirs = static_cast<double>(other.count);
  mean_ns = (mean_ns * ours + other.mean_ns * theirs) / (ours + theirs);
  min_ns = std::min(min_ns, other.min_ns);
  max_ns = std::max(max_ns, other.max_ns);
  count += other.count;
  buckets = merged(buckets, other.buckets);
}

}  // namespace rps::load
