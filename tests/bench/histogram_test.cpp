#include "bench/load/histogram.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "core/random.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using rps::load::Histogram;
using std::chrono::nanoseconds;

TEST_CASE("an empty histogram says zero") {
  const Histogram empty;
  CHECK(empty.count() == 0);
  CHECK(empty.min() == 0ns);
  CHECK(empty.max() == 0ns);
  CHECK(empty.mean_ns() == 0);
  CHECK(empty.quantile(0.99) == 0ns);
  CHECK_FALSE(empty.supported_quantile(0.5));
}

TEST_CASE("one value is every quantile, exactly") {
  for (const nanoseconds value : {0ns, 1ns, 2047ns, 2048ns, 2049ns, nanoseconds(1h)}) {
    Histogram one;
    one.record(value);
    CHECK(one.quantile(0) == value);
    CHECK(one.quantile(0.5) == value);
    CHECK(one.quantile(1) == value);
    CHECK(one.min() == value);
    CHECK(one.max() == value);
    CHECK(one.mean_ns() == static_cast<double>(value.count()));
  }
}

TEST_CASE("a reported value is at most a thousandth above the recorded one") {
  // Around every power of two and in between, up to the end of the range.
  for (unsigned bit = 0; bit < Histogram::value_bits; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    for (const std::uint64_t value : {power - 1, power, power + 1, power + power / 3}) {
      if (value > Histogram::value_max) continue;
      Histogram histogram;
      histogram.record(nanoseconds(value));
      histogram.record(nanoseconds(Histogram::value_max));  // So that max() does not help.
      const auto reported = static_cast<std::uint64_t>(histogram.quantile(0.5).count());
      CHECK(reported >= value);
      CHECK(reported - value <= value / 1024);
    }
  }
}

TEST_CASE("the range holds an hour, and what is longer counts as its end") {
  Histogram histogram;
  histogram.record(1h);
  CHECK(histogram.max() == 1h);
  histogram.record(24h);
  CHECK(histogram.max() == nanoseconds(Histogram::value_max));
  CHECK(histogram.quantile(1) == nanoseconds(Histogram::value_max));
  histogram.record(-5ns);
  CHECK(histogram.min() == 0ns);
  CHECK(histogram.count() == 3);
}

TEST_CASE("quantiles of many values are those of the sorted values") {
  Histogram histogram;
  std::vector<double> values;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const std::uint64_t value = rps::mix(7, i) % 50'000'000;
    histogram.record(nanoseconds(value));
    values.push_back(static_cast<double>(value));
  }
  std::ranges::sort(values);
  for (const double q : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(q * 100'000));
    const double exact = values[std::max<std::size_t>(rank, 1) - 1];
    const auto reported = static_cast<double>(histogram.quantile(q).count());
    CHECK(reported >= exact);
    CHECK(reported <= exact * (1 + 1.0 / 1024) + 1);
  }
}

TEST_CASE("merging two is recording into one") {
  Histogram left;
  Histogram right;
  Histogram both;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const nanoseconds value(rps::mix(3, i) >> (i % 40 + 20));
    (i % 3 == 0 ? left : right).record(value);
    both.record(value);
  }
  left.merge(right);
  CHECK(left == both);

  const Histogram empty;
  left.merge(empty);
  CHECK(left == both);
  left.clear();
  CHECK(left == empty);
}

TEST_CASE("a percentile needs ten values above it") {
  Histogram histogram;
  for (int i = 0; i < 999; ++i) histogram.record(1us);
  CHECK_FALSE(histogram.supported_quantile(0.99));
  histogram.record(1us);
  CHECK(histogram.supported_quantile(0.99) == 1us);
  CHECK_FALSE(histogram.supported_quantile(0.999));
}
