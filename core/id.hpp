// A session, game or player id: a short string that is stored in the object, not on the heap.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/limits.hpp"

namespace rps {

// Whether `text` may be an id: 1 to id_bytes_max visible ASCII characters. It contains no space and
// nothing outside ASCII, so that it can be written to a log line, a URL and a console line.
constexpr bool is_id(std::string_view text) {
  if (text.empty() || text.size() > limits::id_bytes_max) return false;
  bool visible = true;
  for (const char c : text) visible &= c > ' ' && c <= '~';
  return visible;
}

class Id {
 public:
  constexpr Id() = default;

  // REQUIRES: is_id(text).
  constexpr explicit Id(std::string_view text) : size_(static_cast<std::uint8_t>(text.size())) {
    assert(is_id(text));
    for (std::size_t i = 0; i < text.size(); ++i) bytes_[i] = text[i];
  }

  static constexpr std::optional<Id> parse(std::string_view text) {
    return is_id(text) ? std::optional<Id>(Id(text)) : std::nullopt;
  }

  constexpr std::string_view view() const { return {bytes_.data(), size_}; }
  constexpr bool empty() const { return size_ == 0; }

  friend constexpr bool operator==(const Id& a, const Id& b) { return a.view() == b.view(); }

 private:
  std::array<char, limits::id_bytes_max> bytes_{};
  std::uint8_t size_ = 0;
};

}  // namespace rps
