// What the echoes over TCP answer with.
#pragma once

#include <cstddef>
#include <string>

namespace rps::floors {

inline constexpr std::size_t frame_header_bytes = 5;

// So many replies in a row, to answer a pipeline with one write. Each looks like a frame of stage 2
// that tells its own length, so that a client that counts frames can count.
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
