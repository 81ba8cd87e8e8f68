// Writes MessagePack, every value in its smallest form.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "stage2_jsonrpc/big_endian.hpp"

namespace rps::jsonrpc {

// Writes MessagePack to an address. REQUIRES: there is room for all that it writes.
class MessagePackWriter {
 public:
  explicit MessagePackWriter(char* at) : at_(at) {}

  // Bytes that are MessagePack already.
  MessagePackWriter& raw(std::string_view bytes) {
    if (bytes.empty()) return *this;  // memcpy() must not get the null address that it may have.
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
    return *this;
  }

  MessagePackWriter& boolean(bool value) { return byte(value ? 0xc3 : 0xc2); }

  MessagePackWriter& natural(std::uint64_t value) {
    return value < 0x80 ? byte(static_cast<unsigned>(value)) : sized(0xcc, value);
  }

  // A number below zero that fits into 16 bits, as all codes of errors do.
  MessagePackWriter& negative(int value) {
    assert(value < 0 && value >= std::numeric_limits<std::int16_t>::min());
    if (value >= -32) return byte(static_cast<unsigned>(value) & 0xff);
    if (value >= -128) return byte(0xd0).integer(static_cast<std::uint8_t>(value));
    return byte(0xd1).integer(static_cast<std::uint16_t>(value));
  }

  MessagePackWriter& text(std::string_view text) {
    if (text.size() < 32) return byte(0xa0 | static_cast<unsigned>(text.size())).raw(text);
    return sized(0xd9, text.size()).raw(text);
  }

  // Begins a map of `pairs` keys and values. REQUIRES: less than 16.
  MessagePackWriter& map(unsigned pairs) {
    assert(pairs < 16);
    return byte(0x80 | pairs);
  }

  // Begins an array.
  MessagePackWriter& array(std::size_t count) {
    if (count < 16) return byte(0x90 | static_cast<unsigned>(count));
    if (count <= 0xffff) return byte(0xdc).integer(static_cast<std::uint16_t>(count));
    return byte(0xdd).integer(static_cast<std::uint32_t>(count));
  }

  char* at() const { return at_; }

 private:
  // A number in the smallest of the forms of 8, 16, 32 and 64 bits, whose codes follow each other.
  MessagePackWriter& sized(unsigned code_of_8_bits, std::uint64_t value) {
    if (value <= 0xff) return byte(code_of_8_bits).integer(static_cast<std::uint8_t>(value));
    if (value <= 0xffff) return byte(code_of_8_bits + 1).integer(static_cast<std::uint16_t>(value));
    if (value <= 0xffffffff) {
      return byte(code_of_8_bits + 2).integer(static_cast<std::uint32_t>(value));
    }
    return byte(code_of_8_bits + 3).integer(value);
  }

  MessagePackWriter& byte(unsigned value) {
    *at_++ = static_cast<char>(value);
    return *this;
  }

  template <class Integer>
  MessagePackWriter& integer(Integer value) {
    store_big_endian(value, at_);
    at_ += sizeof value;
    return *this;
  }

  char* at_;
};

}  // namespace rps::jsonrpc
