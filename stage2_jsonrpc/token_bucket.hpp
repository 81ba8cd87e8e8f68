// How many calls somebody may make: so many a second, and a number at once on top of that.
//
// The generic cell rate algorithm: instead of a level that has to be refilled there is one instant,
// the one at which the bucket will be full again. A call moves it on by the price of a call, and is
// refused when that would put it further ahead than the burst allows.
// Source: ITU-T I.371, annex A (the virtual scheduling algorithm).
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "core/clock.hpp"

namespace rps::jsonrpc {

// Safe from any thread, without a lock.
class TokenBucket {
 public:
  // REQUIRES: both are at least 1.
  TokenBucket(std::uint32_t calls_per_second, std::uint32_t burst)
      : price_(std::chrono::nanoseconds(std::chrono::seconds(1)) / calls_per_second),
        ahead_max_(price_ * burst) {}

  // Takes the price of one call. Zero: it may go ahead. Else nothing was taken, and this is how
  // long to wait until a call will be let through.
  std::chrono::nanoseconds take(Clock::time_point now) {
    auto full_at = full_at_.load(std::memory_order_relaxed);
    for (;;) {
      const Clock::time_point next = std::max(full_at, now) + price_;
      if (next - now > ahead_max_) return next - now - ahead_max_;
      if (full_at_.compare_exchange_weak(full_at, next, std::memory_order_relaxed)) return {};
    }
  }

  bool is_full(Clock::time_point now) const {
    return full_at_.load(std::memory_order_relaxed) <= now;
  }

 private:
  std::chrono::nanoseconds price_;
  std::chrono::nanoseconds ahead_max_;
  std::atomic<Clock::time_point> full_at_{Clock::time_point::min()};
};

}  // namespace rps::jsonrpc
