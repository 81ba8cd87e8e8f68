// Reads MessagePack one value at a time, without a tree and without the heap. Accepted are the
// types that JSON has as well: nil, booleans, numbers, text, arrays, and maps whose keys are text.
// bin and ext are refused like bytes that are not MessagePack. Source:
// https://github.com/msgpack/msgpack/blob/master/spec.md
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/utf8.hpp"

namespace rps::jsonrpc {

// A value, or the beginning of a container: the values inside it are read one by one after it.
struct MessagePackValue {
  enum class Kind : std::uint8_t { nil, boolean, natural, negative, real, text, array, map };

  Kind kind = Kind::nil;
  // A natural's value; a negative's, in two's complement; a real's, as the bits of a double; how
  // many bytes a text has; how many elements an array, and how many pairs a map.
  std::uint64_t number = 0;
  const char* bytes = nullptr;  // Of a text. They lie in the bytes that are read.

  // The text, which may not be UTF-8. Empty for a value of another kind.
  std::string_view text() const {
    if (kind != Kind::text) return {};
    return {bytes, static_cast<std::size_t>(number)};
  }
  // REQUIRES: the kind is real.
  double real() const { return std::bit_cast<double>(number); }
  bool is_container() const { return kind == Kind::array || kind == Kind::map; }
};

class MessagePackReader {
 public:
  explicit MessagePackReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // Reads the next value. False when the bytes end inside it or are of a type that is not accepted;
  // the reader must not be used any more then. A container that claims more elements than bytes
  // follow is refused here.
  bool next(MessagePackValue& value) {
    // Most values are texts of up to 31 bytes.
    if (at_ < end_ && (static_cast<unsigned char>(*at_) & 0xe0) == 0xa0) {
      return take_text(static_cast<unsigned char>(*at_++) & 0x1f, value);
    }
    return next_of_any_kind(value);
  }

  enum class Skipped : std::uint8_t { whole, malformed, too_deep };

  // Skips the values inside `value`, which was just read. Checks that all of them are well-formed,
  // that their texts are UTF-8, and that no more than `depth_max` containers are nested, `value`
  // being the first. Does not recurse. REQUIRES: depth_max <= limits::json_depth_max.
  Skipped skip(const MessagePackValue& value, std::size_t depth_max) {
    if (value.is_container()) return skip_content(value, depth_max);
    return is_utf8(value.text()) ? Skipped::whole : Skipped::malformed;
  }

  bool at_end() const { return at_ == end_; }
  const char* position() const { return at_; }

 private:
  Skipped skip_content(const MessagePackValue& container, std::size_t depth_max);
  bool next_of_any_kind(MessagePackValue& value);
  bool read_natural(std::size_t width, MessagePackValue& value);
  bool read_signed(std::size_t width, MessagePackValue& value);
  bool read_real(std::size_t width, MessagePackValue& value);
  bool read_text(std::size_t width, MessagePackValue& value);
  bool read_container(std::size_t width, MessagePackValue::Kind kind, MessagePackValue& value);
  bool begin_container(std::uint64_t count, MessagePackValue::Kind kind,
                       MessagePackValue& value) const;
  bool take_number(std::size_t width, std::uint64_t& number);

  bool take(std::size_t size) {
    if (static_cast<std::size_t>(end_ - at_) < size) return false;
    at_ += size;
    return true;
  }

  bool take_text(std::size_t size, MessagePackValue& value) {
    value = {.kind = MessagePackValue::Kind::text, .number = size, .bytes = at_};
    return take(size);
  }

  const char* at_;
  const char* end_;
};

}  // namespace rps::jsonrpc
