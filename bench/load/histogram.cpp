#include "bench/load/histogram.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace rps::load {

namespace {

constexpr double values_above_min = 10;

}  // namespace

Histogram::Histogram() : buckets_(std::make_unique<Buckets>()) {
  static_assert(bucket_of(value_max) == bucket_count - 1);
  static_assert(last_value_of(bucket_count - 1) == value_max);
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < bucket_count; ++i) (*buckets_)[i] += (*other.buckets_)[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Histogram::clear() {
  buckets_->fill(0);
  count_ = 0;
  sum_ = 0;
  min_ = value_max;
  max_ = 0;
}

std::chrono::nanoseconds Histogram::min() const {
  return std::chrono::nanoseconds(count_ == 0 ? 0 : min_);
}

std::chrono::nanoseconds Histogram::max() const {
  return std::chrono::nanoseconds(max_);
}

double Histogram::mean_ns() const {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

std::chrono::nanoseconds Histogram::quantile(double q) const {
  if (count_ == 0) return {};
  const std::uint64_t wanted = rank_of(q, count_);
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while ((seen += (*buckets_)[bucket]) < wanted) ++bucket;
  return std::chrono::nanoseconds(std::min(last_value_of(bucket), max_));
}

std::optional<std::chrono::nanoseconds> Histogram::supported_quantile(double q) const {
  return supports(q, count_) ? std::optional(quantile(q)) : std::nullopt;
}

std::uint64_t Histogram::rank_of(double q, std::uint64_t count) {
  assert(q >= 0 && q <= 1);
  const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count)));
  return std::clamp<std::uint64_t>(rank, 1, count);
}

bool Histogram::supports(double q, std::uint64_t count) {
  return static_cast<double>(count) * (1 - q) >= values_above_min;
}

bool Histogram::operator==(const Histogram& other) const {
  return count_ == other.count_ && sum_ == other.sum_ && min_ == other.min_ && max_ == other.max_ &&
         *buckets_ == *other.buckets_;
}

}  // namespace rps::load
