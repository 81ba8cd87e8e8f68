// The repository's clock and gRPC's: both are CLOCK_MONOTONIC.
#pragma once

#include <chrono>
#include <cstdint>

#include <grpc/support/time.h>

#include "core/clock.hpp"

namespace rps::rpc {

inline gpr_timespec to_timespec(Clock::time_point time) {
  const auto nanoseconds = std::chrono::nanoseconds(time.time_since_epoch()).count();
  return {.tv_sec = nanoseconds / 1'000'000'000,
          .tv_nsec = static_cast<std::int32_t>(nanoseconds % 1'000'000'000),
          .clock_type = GPR_CLOCK_MONOTONIC};
}

// A deadline farther away than the clock can count, as "none" is, becomes its last instant.
inline Clock::time_point to_time_point(gpr_timespec time) {
  constexpr auto last = std::chrono::floor<std::chrono::seconds>(Clock::time_point::max());
  const gpr_timespec monotonic = gpr_convert_clock_type(time, GPR_CLOCK_MONOTONIC);
  if (monotonic.tv_sec >= last.time_since_epoch().count()) return Clock::time_point::max();
  return Clock::time_point(std::chrono::seconds(monotonic.tv_sec) +
                           std::chrono::nanoseconds(monotonic.tv_nsec));
}

}  // namespace rps::rpc
