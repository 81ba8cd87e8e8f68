// The W3C Trace Context of a call (level 1), which says to which distributed trace the call
// belongs; only the parts that a server needs.
// Source: https://www.w3.org/TR/trace-context/#traceparent-header
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rps {

struct TraceContext {
  std::array<std::uint8_t, 16> trace_id{};
  std::array<std::uint8_t, 8> parent_id{};
  bool sampled = false;  // The caller records this trace and asks others to do so.

  bool operator==(const TraceContext&) const = default;
};

namespace detail {

inline constexpr std::uint8_t no_digit = 16;
inline constexpr std::string_view hex_digits = "0123456789abcdef";

// What a character is worth as a lower-case hexadecimal digit.
inline constexpr std::array<std::uint8_t, 256> hex_values = [] {
  std::array<std::uint8_t, 256> values;
  values.fill(no_digit);
  for (std::size_t i = 0; i < hex_digits.size(); ++i) {
    values[static_cast<unsigned char>(hex_digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

// Reads lower-case hexadecimal digits, two a byte. False on anything else.
template <std::size_t size>
constexpr bool read_hex(std::string_view digits, std::array<std::uint8_t, size>& bytes) {
  const auto value = [](char c) { return hex_values[static_cast<unsigned char>(c)]; };
  std::uint8_t all = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint8_t high = value(digits[2 * i]);
    const std::uint8_t low = value(digits[2 * i + 1]);
    all |= high | low;
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return all < no_digit;
}

}  // namespace detail

// Reads "00-<32 digits>-<16 digits>-<2 digits>", digits being lower-case hexadecimal. Versions
// above 00 may be longer and are read as far as 00 goes. Empty for anything else, also for ids of
// zeros: the standard wants such a header ignored.
constexpr std::optional<TraceContext> parse_traceparent(std::string_view text) {
  constexpr std::size_t length = 55;
  if (text.size() < length || text[2] != '-' || text[35] != '-' || text[52] != '-') return {};
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  TraceContext context;
  if (!detail::read_hex(text.substr(0, 2), version) ||
      !detail::read_hex(text.substr(3, 32), context.trace_id) ||
      !detail::read_hex(text.substr(36, 16), context.parent_id) ||
      !detail::read_hex(text.substr(53, 2), flags)) {
    return {};
  }
  if (version[0] == 0xff || (version[0] == 0 && text.size() != length)) return {};
  if (text.size() > length && text[length] != '-') return {};
  const auto is_zero = [](std::uint8_t byte) { return byte == 0; };
  if (std::ranges::all_of(context.trace_id, is_zero)) return {};
  if (std::ranges::all_of(context.parent_id, is_zero)) return {};
  context.sampled = (flags[0] & 1) != 0;
  return context;
}

// The bytes as lower-case hexadecimal digits.
template <std::size_t size>
constexpr std::array<char, 2 * size> to_hex(const std::array<std::uint8_t, size>& bytes) {
  std::array<char, 2 * size> digits{};
  for (std::size_t i = 0; i < size; ++i) {
    digits[2 * i] = detail::hex_digits[bytes[i] >> 4];
    digits[2 * i + 1] = detail::hex_digits[bytes[i] & 15];
  }
  return digits;
}

// As version 00 spells it.
inline std::string to_traceparent(const TraceContext& context) {
  const auto trace_id = to_hex(context.trace_id);
  const auto parent_id = to_hex(context.parent_id);
  std::string text;
  text.reserve(55);
  text.append("00-").append(trace_id.data(), trace_id.size());
  text.append("-").append(parent_id.data(), parent_id.size());
  text.append(context.sampled ? "-01" : "-00");
  return text;
}

}  // namespace rps
