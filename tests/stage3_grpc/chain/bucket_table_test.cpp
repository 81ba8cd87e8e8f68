#include "stage3_grpc/chain/bucket_table.hpp"

#include <thread>
#include <vector>

#include "tests/catch.hpp"

namespace rps::rpc::chain {
namespace {

using namespace std::chrono_literals;

constexpr Clock::time_point start{1000s};
constexpr CallRate rate(1, 2);  // Two at once, then one a second.

TEST_CASE("Every caller has a bucket of its own") {
  BucketTable table(1);
  for (std::uint64_t key = 0; key < BucketTable::places_of_set; ++key) {
    CHECK(table.take(key + 5, rate, start).wait == 0ns);
    CHECK(table.take(key + 5, rate, start).wait == 0ns);
    CHECK(table.take(key + 5, rate, start).wait == 1s);
  }
  CHECK(table.take(5, rate, start + 1s).wait == 0ns);
}

TEST_CASE("One caller too many takes the bucket that is full soonest, and finds it full") {
  BucketTable table(1);
  for (std::uint64_t key = 1; key <= BucketTable::places_of_set; ++key) {
    table.take(key, rate, start);
    if (key != 3) table.take(key, rate, start);
  }
  const BucketTable::Taken taken = table.take(100, rate, start);
  CHECK(taken.wait == 0ns);
  CHECK(taken.has_evicted);
  CHECK(table.take(1, rate, start).wait == 1s);  // Still known.
  // The third is forgotten: it has its burst again.
  CHECK(table.take(3, rate, start).wait == 0ns);
  CHECK(table.take(3, rate, start).wait == 0ns);
}

TEST_CASE("A bucket that is full again is nobody's loss") {
  BucketTable table(1);
  for (std::uint64_t key = 1; key <= BucketTable::places_of_set; ++key) {
    CHECK_FALSE(table.take(key, rate, start).has_evicted);
  }
  CHECK_FALSE(table.take(100, rate, start + 1s).has_evicted);
  CHECK(table.take(101, rate, start + 1s).wait == 0ns);
}

TEST_CASE("Threads that share a caller share its bucket") {
  BucketTable table(4);
  constexpr CallRate generous(1, 1'000);
  std::atomic<int> passed{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int call = 0; call < 1'000; ++call) {
          if (table.take(9, generous, start).wait == 0ns) ++passed;
        }
      });
    }
  }
  // A caller that comes on two threads at once for the first time may be charged a call less each.
  CHECK(passed >= 1'000);
  CHECK(passed < 1'100);
}

}  // namespace
}  // namespace rps::rpc::chain
