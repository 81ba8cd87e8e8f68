// A token bucket: it limits the calls of a peer to a rate, with a burst above it.
//
// The generic cell rate algorithm. Instead of a level that has to be refilled, the bucket stores
// the instant at which it will be full again. A call moves this instant later by 1 / rate, and is
// refused when the instant would be further in the future than the burst allows. Source: ITU-T
// I.371, annex A (the virtual scheduling algorithm).
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "core/clock.hpp"

namespace rps {

struct CallRate {
  // REQUIRES: both are at least 1.
  constexpr CallRate(std::uint32_t calls_per_second, std::uint32_t burst)
      : price(std::chrono::nanoseconds(std::chrono::seconds(1)) / calls_per_second),
        ahead_max(price * burst) {}

  std::chrono::nanoseconds price;      // Between two calls at this rate.
  std::chrono::nanoseconds ahead_max;  // Until a bucket without calls left is full again.
};

// Safe from any thread, without a lock.
class TokenBucket {
 public:
  // Full.
  TokenBucket() = default;

  // Takes one call from the bucket and returns zero. When the bucket has none, takes nothing and
  // returns how long to wait until it has one. The rate may change from call to call.
  std::chrono::nanoseconds take(const CallRate& rate, Clock::time_point now) {
    auto full_at = full_at_.load(std::memory_order_relaxed);
    for (;;) {
      const Clock::time_point next = std::max(full_at, now) + rate.price;
      if (next - now > rate.ahead_max) return next - now - rate.ahead_max;
      if (full_at_.compare_exchange_weak(full_at, next, std::memory_order_relaxed)) return {};
    }
  }

  void fill() { full_at_.store(Clock::time_point::min(), std::memory_order_relaxed); }

  // When it is full again; in the past for a full one.
  Clock::time_point full_at() const { return full_at_.load(std::memory_order_relaxed); }
  bool is_full(Clock::time_point now) const { return full_at() <= now; }

 private:
  std::atomic<Clock::time_point> full_at_{Clock::time_point::min()};
};

}  // namespace rps
