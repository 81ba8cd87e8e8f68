// Counts what a test binary allocates with `new`, for code that promises to allocate nothing.
// Only a binary that lists allocations.cpp among its sources has it.
#pragma once

#include <cstdint>

namespace rps::tests {

// Since the process began, by all threads.
std::uint64_t allocation_count();

}  // namespace rps::tests
