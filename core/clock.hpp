// The clock of the game. No code in core reads it: the caller passes the time as `now`, so that a
// test can set it.
#pragma once

#include <chrono>

namespace rps {

using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC, nanoseconds.

}  // namespace rps
