// Counts what rps-micro allocates with `new`, so that a benchmark can say so beside its time.
#pragma once

#include <cstdint>

namespace rps::load {

// By this thread, since it began.
std::uint64_t allocation_count();

}  // namespace rps::load
