// How many bytes a floor takes and gives, from its command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "core/number.hpp"

namespace rps::floors {

inline constexpr std::uint64_t bytes_max = 1 << 20;

struct Sizes {
  std::size_t request = 0;
  std::size_t reply = 0;
};

// Throws std::invalid_argument with the usage when there are not two sizes, or one is out of range.
inline Sizes read_sizes(int argc, char** argv, std::size_t reply_min = 1) {
  if (argc == 3) {
    const auto request = parse_size(argv[1], {.min = 1, .max = bytes_max});
    const auto reply = parse_size(argv[2], {.min = reply_min, .max = bytes_max});
    if (request && reply) return {.request = *request, .reply = *reply};
  }
  throw std::invalid_argument("usage: REQUEST_BYTES REPLY_BYTES, two sizes up to " +
                              size_text(bytes_max) + "; REPLY_BYTES is at least " +
                              std::to_string(reply_min));
}

}  // namespace rps::floors
