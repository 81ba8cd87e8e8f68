// As much of HTTP/1.1 as it takes to find where a response ends that a server of this tree wrote.
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

namespace rps::load {

// How long the first response of `bytes` is, by its Content-Length; without one it has no body.
// Nothing while its end has not come.
inline std::optional<std::size_t> http_response_bytes(std::string_view bytes) {
  constexpr std::string_view head_end = "\r\n\r\n";
  constexpr std::string_view field = "Content-Length: ";
  const std::size_t end = bytes.find(head_end);
  if (end == std::string_view::npos) return std::nullopt;
  const std::size_t length_at = bytes.substr(0, end).find(field);
  std::size_t length = 0;
  if (length_at != std::string_view::npos) {
    std::from_chars(bytes.data() + length_at + field.size(), bytes.data() + end, length);
  }
  const std::size_t size = end + head_end.size() + length;
  return bytes.size() < size ? std::nullopt : std::optional(size);
}

}  // namespace rps::load
