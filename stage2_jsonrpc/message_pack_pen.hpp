// Writes MessagePack, every value in its smallest form.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include "stage2_jsonrpc/big_endian.hpp"

namespace rps::jsonrpc {

// Writes into room that is known to be enough.
class PackedPen {
 public:
  explicit PackedPen(char* at) : at_(at) {}

  // Bytes that are MessagePack already.
  PackedPen& raw(std::string_view bytes) {
    if (bytes.empty()) return *this;  // Which may have no address, and memcpy must be given one.
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
    return *this;
  }

  PackedPen& boolean(bool value) { return byte(value ? 0xc3 : 0xc2); }

  PackedPen& natural(std::uint64_t value) {
    if (value < 0x80) return byte(static_cast<unsigned>(value));
    if (value <= 0xff) return byte(0xcc).integer(static_cast<std::uint8_t>(value));
    if (value <= 0xffff) return byte(0xcd).integer(static_cast<std::uint16_t>(value));
    if (value <= 0xffffffff) return byte(0xce).integer(static_cast<std::uint32_t>(value));
    return byte(0xcf).integer(value);
  }

  // A number below zero that fits into 16 bits, as all codes of errors do.
  PackedPen& negative(int value) {
    assert(value < 0 && value >= std::numeric_limits<std::int16_t>::min());
    if (value >= -32) return byte(static_cast<unsigned>(value) & 0xff);
    if (value >= -128) return byte(0xd0).integer(static_cast<std::uint8_t>(value));
    return byte(0xd1).integer(static_cast<std::uint16_t>(value));
  }

  PackedPen& text(std::string_view text) {
    if (text.size() < 32) return byte(0xa0 | static_cast<unsigned>(text.size())).raw(text);
    if (text.size() <= 0xff) {
      return byte(0xd9).integer(static_cast<std::uint8_t>(text.size())).raw(text);
    }
    if (text.size() <= 0xffff) {
      return byte(0xda).integer(static_cast<std::uint16_t>(text.size())).raw(text);
    }
    return byte(0xdb).integer(static_cast<std::uint32_t>(text.size())).raw(text);
  }

  // Begins a map of `pairs` keys and values. REQUIRES: less than 16.
  PackedPen& map(unsigned pairs) {
    assert(pairs < 16);
    return byte(0x80 | pairs);
  }

  // Begins an array.
  PackedPen& array(std::size_t count) {
    if (count < 16) return byte(0x90 | static_cast<unsigned>(count));
    if (count <= 0xffff) return byte(0xdc).integer(static_cast<std::uint16_t>(count));
    return byte(0xdd).integer(static_cast<std::uint32_t>(count));
  }

  char* at() const { return at_; }

 private:
  PackedPen& byte(unsigned value) {
    *at_++ = static_cast<char>(value);
    return *this;
  }

  template <class Integer>
  PackedPen& integer(Integer value) {
    store_big_endian(value, at_);
    at_ += sizeof value;
    return *this;
  }

  char* at_;
};

// Appends what `write(PackedPen&)` writes, at most `bytes_max` bytes, without filling the room
// first.
template <class Write>
void append_packed(std::string& out, std::size_t bytes_max, Write&& write) {
  const std::size_t size = out.size();
  if (out.capacity() - size < bytes_max) out.reserve(2 * out.capacity() + bytes_max);
  out.resize_and_overwrite(size + bytes_max, [&](char* data, [[maybe_unused]] std::size_t room) {
    PackedPen pen(data + size);
    write(pen);
    const auto written = static_cast<std::size_t>(pen.at() - data);
    assert(written <= room);
    return written;
  });
}

}  // namespace rps::jsonrpc
