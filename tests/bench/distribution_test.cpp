#include "bench/load/distribution.hpp"

#include "core/random.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using rps::load::Distribution;
using rps::load::Histogram;
using std::chrono::nanoseconds;

namespace {

// Values over many octaves.
Histogram recorded(std::uint64_t seed, std::uint64_t count) {
  Histogram histogram;
  for (std::uint64_t i = 0; i < count; ++i) {
    histogram.record(nanoseconds(rps::mix(seed, i) >> (i % 40 + 20)));
  }
  return histogram;
}

double as_double(nanoseconds value) {
  return static_cast<double>(value.count());
}

}  // namespace

TEST_CASE("an empty distribution says zero, as an empty histogram does") {
  const Distribution empty{Histogram()};
  CHECK(empty == Distribution());
  CHECK(empty.quantile_ns(0.5) == 0);
  CHECK_FALSE(empty.supported_quantile_ns(0.5));
  CHECK(empty.count_up_to(1e9) == 0);
}

TEST_CASE("a distribution answers as the histogram that it was made from") {
  const Histogram histogram = recorded(1, 5'000);
  const Distribution kept(histogram);
  CHECK(kept.count == histogram.count());
  CHECK(kept.mean_ns == histogram.mean_ns());
  CHECK(kept.min_ns == as_double(histogram.min()));
  CHECK(kept.max_ns == as_double(histogram.max()));
  for (int percent = 0; percent <= 1000; ++percent) {
    const double q = percent / 1000.0;
    CHECK(kept.quantile_ns(q) == as_double(histogram.quantile(q)));
    const auto supported = histogram.supported_quantile(q);
    CHECK(kept.supported_quantile_ns(q).has_value() == supported.has_value());
    if (supported) CHECK(kept.supported_quantile_ns(q) == as_double(*supported));
  }
}

TEST_CASE("its buckets ascend and none is empty") {
  const Distribution kept(recorded(2, 1'000));
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kept.buckets.size(); ++i) {
    CHECK(kept.buckets[i].count > 0);
    if (i > 0) CHECK(kept.buckets[i].index > kept.buckets[i - 1].index);
    total += kept.buckets[i].count;
  }
  CHECK(total == kept.count);
}

TEST_CASE("merging two is keeping what one histogram recorded") {
  Histogram left = recorded(3, 4'000);
  const Histogram right = recorded(4, 1'000);
  Distribution merged(left);
  merged.merge(Distribution(right));
  left.merge(right);
  const Distribution both(left);
  CHECK(merged.buckets == both.buckets);
  CHECK(merged.count == both.count);
  CHECK(merged.min_ns == both.min_ns);
  CHECK(merged.max_ns == both.max_ns);
  CHECK(merged.mean_ns == Approx(both.mean_ns).epsilon(1e-12));
}

TEST_CASE("merging with nothing changes nothing, on either side") {
  const Distribution some(recorded(5, 100));
  Distribution left = some;
  left.merge({});
  CHECK(left == some);
  Distribution right;
  right.merge(some);
  CHECK(right == some);
}

TEST_CASE("values up to a limit are counted, to the end of its bucket") {
  Histogram histogram;
  for (int ns = 1; ns <= 100; ++ns) histogram.record(nanoseconds(ns));
  histogram.record(1s);
  const Distribution kept(histogram);
  CHECK(kept.count_up_to(-1) == 0);
  CHECK(kept.count_up_to(0.5) == 0);
  CHECK(kept.count_up_to(1) == 1);
  CHECK(kept.count_up_to(60) == 60);
  CHECK(kept.count_up_to(999e6 * 0.99) == 100);
  CHECK(kept.count_up_to(1e9) == 101);
  CHECK(kept.count_up_to(1e300) == 101);
}

TEST_CASE("first and last value of a bucket are where buckets change") {
  for (std::size_t bucket = 0; bucket < Histogram::bucket_count; ++bucket) {
    const std::uint64_t first = Histogram::first_value_of(bucket);
    const std::uint64_t last = Histogram::last_value_of(bucket);
    REQUIRE(Histogram::bucket_of(first) == bucket);
    REQUIRE(Histogram::bucket_of(last) == bucket);
    REQUIRE(first <= last);
  }
}
