// Frames for tests, made without the code under test.
#pragma once

#include <string>
#include <string_view>

namespace rps::jsonrpc {

inline std::string frame_of(std::string_view payload, unsigned char type = 0x01) {
  std::string frame{'\xCA', '\xFE', static_cast<char>(type), static_cast<char>(payload.size() >> 8),
                    static_cast<char>(payload.size())};
  return frame.append(payload);
}

}  // namespace rps::jsonrpc
