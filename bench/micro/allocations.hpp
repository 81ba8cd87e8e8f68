// Counts what a program allocates with `new`: for a benchmark that says so beside its time, and for
// a test of code that promises to allocate nothing. Only a binary that lists allocations.cpp among
// its sources has it.
#pragma once

#include <cstdint>

namespace rps::micro {

// Since the process began, by all threads. What a thread counted is seen by those that wait for it.
std::uint64_t allocation_count();

}  // namespace rps::micro
