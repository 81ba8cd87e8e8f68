// Token buckets of callers, in a fixed amount of memory.
//
// A caller is known by a key of 64 bits, which chooses a set of eight places. A caller that has no
// place takes the one whose bucket is full for the longest time, or will be full soonest, and
// begins with a full bucket. So when more callers come than there are places, as in a flood of
// addresses, some get more than their rate; nobody gets less.
//
// There is no lock. Two threads that take a place at the same moment may charge one call to the
// wrong bucket, or none.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/token_bucket.hpp"

namespace rps::rpc::chain {

class BucketTable {
 public:
  static constexpr std::size_t places_of_set = 8;

  // REQUIRES: a power of two.
  explicit BucketTable(std::size_t sets) : sets_(sets) { assert(std::has_single_bit(sets)); }

  struct Taken {
    std::chrono::nanoseconds wait{};  // As TokenBucket::take() returns it.
    bool has_evicted = false;         // Another caller's bucket, which was not full, is forgotten.
  };

  // Takes a call from the bucket of `key`. REQUIRES: keys are hashes under a secret, so that nobody
  // can choose callers who share a set.
  Taken take(std::uint64_t key, const CallRate& rate, Clock::time_point now) {
    Set& set = sets_[key & (sets_.size() - 1)];
    key = std::max<std::uint64_t>(key, 1);
    for (Place& place : set) {
      if (place.key.load(std::memory_order_relaxed) != key) continue;
      return {.wait = place.bucket.take(rate, now)};
    }
    Place& place =
        *std::ranges::min_element(set, {}, [](const Place& one) { return one.bucket.full_at(); });
    const bool has_evicted =
        place.key.exchange(key, std::memory_order_relaxed) != 0 && !place.bucket.is_full(now);
    place.bucket.fill();
    return {.wait = place.bucket.take(rate, now), .has_evicted = has_evicted};
  }

 private:
  struct Place {
    std::atomic<std::uint64_t> key{0};  // 0: nobody's.
    TokenBucket bucket;
  };
  using Set = std::array<Place, places_of_set>;

  std::vector<Set> sets_;
};

}  // namespace rps::rpc::chain
