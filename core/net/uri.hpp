// The characters of a URI (RFC 3986, section 2).
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace rps::net::uri {

constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr bool is_unreserved(char c) {
  return is_letter(c) || is_digit(c) || std::string_view("-._~").contains(c);
}

constexpr bool is_sub_delimiter(char c) {
  return std::string_view("!$&'()*+,;=").contains(c);
}

constexpr std::optional<char> hex_digit(char c) {
  if (is_digit(c)) return static_cast<char>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<char>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<char>(c - 'A' + 10);
  return std::nullopt;
}

// The character that an escape at the front of `text`, as in %7E, stands for.
constexpr std::optional<char> decode_escape(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return std::nullopt;
  const auto high = hex_digit(text[1]);
  const auto low = hex_digit(text[2]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(*high * 16 + *low);
}

// Only characters for which `is_allowed`, and escapes.
template <class IsAllowed>
constexpr bool consists_of(std::string_view text, IsAllowed is_allowed) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_allowed(text[at])) continue;
    if (!decode_escape(text.substr(at))) return false;
    at += 2;
  }
  return true;
}

}  // namespace rps::net::uri
