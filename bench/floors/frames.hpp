// What the echoes over TCP answer with.
#pragma once

#include <cstddef>
#include <string>

namespace rps::floors {

inline constexpr std::size_t frame_header_bytes = 5;

// A number of replies in a row, to answer a pipeline with one write. Each reply has the header of a
// frame of stage 2 with its length, so that clients of stage 2 can find where it ends.
// REQUIRES: reply_bytes >= frame_header_bytes.
inline std::string make_frames(std::size_t reply_bytes, std::size_t count) {
  const std::size_t payload = reply_bytes - frame_header_bytes;
  std::string one{'\xCA', '\xFE', '\x02', static_cast<char>(payload >> 8),
                  static_cast<char>(payload & 0xff)};
  one.resize(reply_bytes, 'x');
  std::string many;
  while (count-- > 0) many += one;
  return many;
}

}  // namespace rps::floors
