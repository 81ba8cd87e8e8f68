#include "core/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace rps {

namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080;

template <class Integer>
std::uint64_t load(const char* at) {
  Integer value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Looks at eight bytes at a time; the last eight may overlap those before.
bool is_ascii(std::string_view text) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  std::uint64_t seen = 0;
  if (text.size() >= 8) {
    for (const char* at = begin; end - at >= 8; at += 8) seen |= load<std::uint64_t>(at);
    seen |= load<std::uint64_t>(end - 8);
  } else if (text.size() >= 4) {
    seen = load<std::uint32_t>(begin) | load<std::uint32_t>(end - 4);
  } else {
    for (const char c : text) seen |= static_cast<unsigned char>(c);
  }
  return (seen & high_bits) == 0;
}

}  // namespace

// RFC 3629, section 4: after some first bytes the second one has a smaller range.
std::size_t utf8_length(std::string_view text) {
  const auto is_in = [&](std::size_t index, unsigned low, unsigned high) {
    if (index >= text.size()) return false;
    const unsigned byte = static_cast<unsigned char>(text[index]);
    return byte >= low && byte <= high;
  };
  const auto follow = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      if (!is_in(i, 0x80, 0xbf)) return std::size_t{0};
    }
    return to;
  };
  const unsigned first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follow(1, 2);
  if (first == 0xe0) return is_in(1, 0xa0, 0xbf) ? follow(2, 3) : 0;
  if (first == 0xed) return is_in(1, 0x80, 0x9f) ? follow(2, 3) : 0;
  if (first >= 0xe1 && first <= 0xef) return follow(1, 3);
  if (first == 0xf0) return is_in(1, 0x90, 0xbf) ? follow(2, 4) : 0;
  if (first >= 0xf1 && first <= 0xf3) return follow(1, 4);
  if (first == 0xf4) return is_in(1, 0x80, 0x8f) ? follow(2, 4) : 0;
  return 0;
}

bool is_utf8(std::string_view text) {
  if (is_ascii(text)) return true;
  while (!text.empty()) {
    const std::size_t size = utf8_length(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string control_escape(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  // Above U+007F they are spelled C2 80 to C2 9F: the second byte is the number of the character.
  const bool is_one_byte = utf8_length(text) == 1;
  const auto code = static_cast<unsigned char>(text[is_one_byte ? 0 : 1]);
  const bool is_control =
      is_one_byte ? code < 0x20 || code == 0x7f : text.front() == '\xc2' && code < 0xa0;
  if (!is_control) return {};
  return {'\\', 'u', '0', '0', digits[code >> 4], digits[code & 0xf]};
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string escape = length == 0 ? "\xef\xbf\xbd" : control_escape(text);
    if (escape.empty() || text.front() == '\n') {
      out.append(text.substr(0, length));
    } else {
      out.append(escape);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace rps
