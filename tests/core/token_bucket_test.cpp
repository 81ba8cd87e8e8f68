#include "core/token_bucket.hpp"

#include "tests/catch.hpp"

namespace rps {
namespace {

using namespace std::chrono_literals;

constexpr Clock::time_point start{1000s};

TEST_CASE("A bucket lets its burst through, and then one call for each price of time") {
  constexpr CallRate rate(10, 3);
  TokenBucket bucket;
  for (int i = 0; i < 3; ++i) CHECK(bucket.take(rate, start) == 0ns);
  CHECK(bucket.take(rate, start) == 100ms);
  CHECK(bucket.take(rate, start + 60ms) == 40ms);
  CHECK(bucket.take(rate, start + 100ms) == 0ns);
  CHECK(bucket.take(rate, start + 100ms) == 100ms);
  CHECK(!bucket.is_full(start + 399ms));
  CHECK(bucket.is_full(start + 400ms));
  for (int i = 0; i < 3; ++i) CHECK(bucket.take(rate, start + 1h) == 0ns);
  CHECK(bucket.take(rate, start + 1h) == 100ms);
}

TEST_CASE("A rate that changes applies to the next call") {
  TokenBucket bucket;
  CHECK(bucket.take({1, 1}, start) == 0ns);
  CHECK(bucket.take({1, 1}, start) == 1s);
  CHECK(bucket.take({10, 20}, start) == 0ns);
  bucket.fill();
  CHECK(bucket.is_full(start));
  CHECK(bucket.take({1, 1}, start) == 0ns);
}

}  // namespace
}  // namespace rps
