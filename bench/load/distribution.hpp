// The buckets of a histogram that are not empty. They hold the same counts in a few hundred pairs
// instead of 270 KiB, so that a run can store the histograms of every trial.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bench/load/histogram.hpp"

namespace rps::load {

struct Distribution {
  struct Bucket {
    std::uint32_t index = 0;  // As Histogram counts them.
    std::uint64_t count = 0;
    bool operator==(const Bucket&) const = default;
  };

  std::uint64_t count = 0;
  double mean_ns = 0;
  double min_ns = 0;
  double max_ns = 0;
  std::vector<Bucket> buckets;  // Ascending, none empty.

  Distribution() = default;
  explicit Distribution(const Histogram& histogram);

  // As Histogram::quantile() and supported_quantile().
  double quantile_ns(double q) const;
  std::optional<double> supported_quantile_ns(double q) const;

  // How many values are at most `ns`, including all values of its bucket.
  std::uint64_t count_up_to(double ns) const;

  // Afterwards this holds what both held; the mean is right to the last digits of a double.
  void merge(const Distribution& other);

  bool operator==(const Distribution&) const = default;
};

}  // namespace rps::load
