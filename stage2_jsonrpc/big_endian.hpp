// Integers in network order, at any address.
#pragma once

#include <bit>
#include <concepts>
#include <cstring>

namespace rps::jsonrpc {

// REQUIRES: sizeof(Integer) bytes can be read at `at`.
template <std::unsigned_integral Integer>
Integer load_big_endian(const char* at) {
  Integer value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  return value;
}

// REQUIRES: sizeof(Integer) bytes can be written at `at`.
template <std::unsigned_integral Integer>
void store_big_endian(Integer value, char* at) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  std::memcpy(at, &value, sizeof value);
}

}  // namespace rps::jsonrpc
