// Reads MessagePack one value at a time, without a tree and without the heap. Taken is what JSON
// can say as well: nil, booleans, numbers, text, arrays, and maps whose keys are text. bin and ext
// are refused like bytes that are no MessagePack at all.
// Source: https://github.com/msgpack/msgpack/blob/master/spec.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/utf8.hpp"

namespace rps::jsonrpc {

// A value, or the beginning of one: what a container holds comes as values of its own.
struct PackedValue {
  enum class Kind : std::uint8_t { nil, boolean, natural, negative, real, text, array, map };

  Kind kind = Kind::nil;
  // Of a natural or, in two's complement, of a negative, whatever its width; of text how many
  // bytes, of a container how many elements or pairs it has.
  std::uint64_t number = 0;
  const char* bytes = nullptr;  // Of text: they stand in what was read.

  // The text, not yet known to be UTF-8; empty for what is none.
  std::string_view text() const {
    if (kind != Kind::text) return {};
    return {bytes, static_cast<std::size_t>(number)};
  }
  bool is_container() const { return kind == Kind::array || kind == Kind::map; }
};

class PackedCursor {
 public:
  explicit PackedCursor(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // Reads the next value. False when the bytes end in the midst of it or are of a kind that is not
  // taken; the cursor is useless then. A container that claims to hold more than the bytes behind
  // it could spell is refused here.
  bool next(PackedValue& value) {
    // What most values are: text of up to 31 bytes.
    if (at_ < end_ && (static_cast<unsigned char>(*at_) & 0xe0) == 0xa0) {
      return take_text(static_cast<unsigned char>(*at_++) & 0x1f, value);
    }
    return next_of_any_kind(value);
  }

  enum class Skipped : std::uint8_t { whole, malformed, too_deep };

  // Goes behind what `value`, just read, holds, and checks that all of it is well-formed, that its
  // text is UTF-8, and that no more than `depth_max` containers stand inside each other, itself
  // being the first. Does not recurse. REQUIRES: depth_max <= limits::json_depth_max.
  Skipped skip(const PackedValue& value, std::size_t depth_max) {
    if (value.is_container()) return skip_content(value, depth_max);
    return is_utf8(value.text()) ? Skipped::whole : Skipped::malformed;
  }

  bool at_end() const { return at_ == end_; }
  const char* position() const { return at_; }

 private:
  Skipped skip_content(const PackedValue& container, std::size_t depth_max);
  bool next_of_any_kind(PackedValue& value);
  bool read_natural(std::size_t width, PackedValue& value);
  bool read_signed(std::size_t width, PackedValue& value);
  bool read_text(std::size_t width, PackedValue& value);
  bool read_container(std::size_t width, PackedValue::Kind kind, PackedValue& value);
  bool begin_container(std::uint64_t count, PackedValue::Kind kind, PackedValue& value) const;
  bool take_number(std::size_t width, std::uint64_t& number);

  bool take(std::size_t size) {
    if (static_cast<std::size_t>(end_ - at_) < size) return false;
    at_ += size;
    return true;
  }

  bool take_text(std::size_t size, PackedValue& value) {
    value = {.kind = PackedValue::Kind::text, .number = size, .bytes = at_};
    return take(size);
  }

  const char* at_;
  const char* end_;
};

}  // namespace rps::jsonrpc
