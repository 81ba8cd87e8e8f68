// How many bytes a floor takes and gives, from its command line.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace rps::floors {

struct Sizes {
  std::size_t request = 0;
  std::size_t reply = 0;
};

// Ends the program with 2 and its usage when there are not two numbers, or the reply is too small.
inline Sizes read_sizes(int argc, char** argv, const char* program, std::size_t reply_min = 1) {
  if (argc == 3) {
    const Sizes sizes{.request = std::strtoul(argv[1], nullptr, 10),
                      .reply = std::strtoul(argv[2], nullptr, 10)};
    if (sizes.request > 0 && sizes.reply >= reply_min) return sizes;
  }
  std::fprintf(stderr, "usage: %s REQUEST_BYTES REPLY_BYTES (at least %zu)\n", program, reply_min);
  std::exit(2);
}

}  // namespace rps::floors
