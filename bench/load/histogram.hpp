// A log-linear histogram of durations, as HdrHistogram has it, with a fixed size.
//
// Values are nanoseconds. Below 2048 every value has a bucket of its own; above, each power of two
// is cut into 1024 equal buckets, so a reported value is at most 1/1024 (three significant digits)
// above the recorded one. The range ends at 2^43 ns, which is 2.4 hours; a longer value is recorded
// as value_max. Method: Gil Tene, HdrHistogram.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace rps::load {

// Not thread-safe: each thread records into a histogram of its own. Merging loses nothing.
class Histogram {
 public:
  static constexpr unsigned linear_bits = 11;  // 2^11 values stand alone, 2^10 buckets an octave.
  static constexpr unsigned value_bits = 43;
  static constexpr std::uint64_t value_max = (std::uint64_t{1} << value_bits) - 1;

  // All memory (270 KiB) is taken here; nothing below allocates.
  Histogram();

  // Negative durations, which no monotonic clock gives, count as zero.
  void record(std::chrono::nanoseconds value) {
    const auto raw = static_cast<std::uint64_t>(value.count() < 0 ? 0 : value.count());
    const std::uint64_t clamped = raw < value_max ? raw : value_max;
    ++(*buckets_)[bucket_of(clamped)];
    ++count_;
    sum_ += clamped;
    min_ = clamped < min_ ? clamped : min_;
    max_ = clamped > max_ ? clamped : max_;
  }

  // Afterwards this holds what both held.
  void merge(const Histogram& other);
  void clear();

  std::uint64_t count() const { return count_; }

  // Exact, not rounded to buckets. Zero when nothing was recorded.
  std::chrono::nanoseconds min() const;
  std::chrono::nanoseconds max() const;
  double mean_ns() const;

  // The least value that at least the share `q` of the recorded values does not exceed, rounded up
  // to the end of its bucket but never above max(). Zero when nothing was recorded.
  // REQUIRES: 0 <= q <= 1.
  std::chrono::nanoseconds quantile(double q) const;

  // As quantile(), but nothing when fewer than ten values lie above it, because such a percentile
  // would depend on a few values only.
  std::optional<std::chrono::nanoseconds> supported_quantile(double q) const;

  bool operator==(const Histogram& other) const;

  // ---- The buckets, for code that stores them. Their indices and bounds are those of HdrHistogram
  // with three significant digits and a lowest discernible value of one.

  static constexpr std::uint64_t half = std::uint64_t{1} << (linear_bits - 1);
  static constexpr std::size_t bucket_count = (value_bits - linear_bits + 2) * half;

  // REQUIRES: value <= value_max.
  static constexpr std::size_t bucket_of(std::uint64_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    if (width <= linear_bits) return value;
    const unsigned shift = width - linear_bits;
    return shift * half + (value >> shift);
  }

  // The values that share a bucket: the least, the greatest. REQUIRES: bucket < bucket_count.
  static constexpr std::uint64_t first_value_of(std::size_t bucket) {
    return bucket == 0 ? 0 : last_value_of(bucket - 1) + 1;
  }
  static constexpr std::uint64_t last_value_of(std::size_t bucket) {
    if (bucket < 2 * half) return bucket;
    const std::size_t shift = bucket / half - 1;
    return ((bucket - shift * half + 1) << shift) - 1;
  }

  // REQUIRES: bucket < bucket_count.
  std::uint64_t count_in(std::size_t bucket) const { return (*buckets_)[bucket]; }

  // The rank of the quantile `q` among `count` values, from 1; and whether ten values lie above it.
  // REQUIRES: 0 <= q <= 1, 0 < count.
  static std::uint64_t rank_of(double q, std::uint64_t count);
  static bool supports(double q, std::uint64_t count);

 private:
  using Buckets = std::array<std::uint64_t, bucket_count>;

  std::unique_ptr<Buckets> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t min_ = value_max;
  std::uint64_t max_ = 0;
};

}  // namespace rps::load
