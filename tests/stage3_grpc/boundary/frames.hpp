// HTTP/2 frames as bytes, for tests of what reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stage3_grpc/boundary/frame_cutter.hpp"

namespace rps::rpc::boundary {

using Bytes = std::vector<std::uint8_t>;

inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline Bytes repeated(const Bytes& bytes, int times) {
  Bytes all;
  for (int i = 0; i < times; ++i) all = std::move(all) + bytes;
  return all;
}

// A frame whose payload looks like frame headers itself, so that who loses count notices.
inline Bytes frame(std::uint8_t type, std::uint32_t length, std::uint8_t flags = 0,
                   std::uint32_t stream = 1) {
  Bytes bytes{static_cast<std::uint8_t>(length >> 16),
              static_cast<std::uint8_t>(length >> 8),
              static_cast<std::uint8_t>(length),
              type,
              flags,
              static_cast<std::uint8_t>(stream >> 24),
              static_cast<std::uint8_t>(stream >> 16),
              static_cast<std::uint8_t>(stream >> 8),
              static_cast<std::uint8_t>(stream)};
  bytes.resize(bytes.size() + length, Frame::ping);
  return bytes;
}

inline Bytes preface() {
  return Bytes(FrameCutter::client_preface_bytes, Frame::ping);
}

}  // namespace rps::rpc::boundary
