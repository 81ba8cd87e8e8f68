// The clock whose readings the game is given. Nothing in core reads it: the caller passes `now`,
// so that a test decides what time it is.
#pragma once

#include <chrono>

namespace rps {

using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC, nanoseconds.

}  // namespace rps
