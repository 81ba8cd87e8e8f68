// How a fuzz target says that what must hold for every input does not hold for this one.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace rps::jsonrpc {

// Ends the process as a crash, which the fuzzer reports with the input that led to it.
inline void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace rps::jsonrpc
