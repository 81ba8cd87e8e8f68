#include "stage2_jsonrpc/message_pack_reader.hpp"

#include <array>
#include <cassert>

#include "stage2_jsonrpc/big_endian.hpp"
#include "stage2_jsonrpc/limits.hpp"

namespace rps::jsonrpc {

using Kind = MessagePackValue::Kind;

bool MessagePackReader::next_of_any_kind(MessagePackValue& value) {
  if (at_ == end_) return false;
  const unsigned first = static_cast<unsigned char>(*at_++);
  if (first <= 0x7f) {
    value.kind = Kind::natural;
    value.number = first;
    return true;
  }
  if (first <= 0x8f) return begin_container(first & 0x0f, Kind::map, value);
  if (first <= 0x9f) return begin_container(first & 0x0f, Kind::array, value);
  if (first <= 0xbf) return take_text(first & 0x1f, value);
  if (first >= 0xe0) {
    value.kind = Kind::negative;
    value.number = first | ~std::uint64_t{0xff};
    return true;
  }
  switch (first) {
    case 0xc0: value.kind = Kind::nil; return true;
    case 0xc2:
    case 0xc3: value.kind = Kind::boolean; return true;
    case 0xca: return read_real(4, value);
    case 0xcb: return read_real(8, value);
    case 0xcc: return read_natural(1, value);
    case 0xcd: return read_natural(2, value);
    case 0xce: return read_natural(4, value);
    case 0xcf: return read_natural(8, value);
    case 0xd0: return read_signed(1, value);
    case 0xd1: return read_signed(2, value);
    case 0xd2: return read_signed(4, value);
    case 0xd3: return read_signed(8, value);
    case 0xd9: return read_text(1, value);
    case 0xda: return read_text(2, value);
    case 0xdb: return read_text(4, value);
    case 0xdc: return read_container(2, Kind::array, value);
    case 0xdd: return read_container(4, Kind::array, value);
    case 0xde: return read_container(2, Kind::map, value);
    case 0xdf: return read_container(4, Kind::map, value);
    default: return false;  // bin, ext, and the byte that the specification never uses.
  }
}

bool MessagePackReader::read_natural(std::size_t width, MessagePackValue& value) {
  value.kind = Kind::natural;
  return take_number(width, value.number);
}

bool MessagePackReader::read_signed(std::size_t width, MessagePackValue& value) {
  if (!take_number(width, value.number)) return false;
  const std::uint64_t sign = std::uint64_t{1} << (8 * width - 1);
  value.kind = (value.number & sign) != 0 ? Kind::negative : Kind::natural;
  value.number = (value.number ^ sign) - sign;  // Extends the sign to all 64 bits.
  return true;
}

bool MessagePackReader::read_real(std::size_t width, MessagePackValue& value) {
  value.kind = Kind::real;
  if (!take_number(width, value.number)) return false;
  if (width == sizeof(float)) {
    const auto single = std::bit_cast<float>(static_cast<std::uint32_t>(value.number));
    value.number = std::bit_cast<std::uint64_t>(static_cast<double>(single));
  }
  return true;
}

bool MessagePackReader::read_text(std::size_t width, MessagePackValue& value) {
  std::uint64_t size = 0;
  return take_number(width, size) && take_text(size, value);
}

bool MessagePackReader::read_container(std::size_t width, Kind kind, MessagePackValue& value) {
  std::uint64_t count = 0;
  return take_number(width, count) && begin_container(count, kind, value);
}

// Every element takes at least one byte, so a container with more elements than bytes is malformed.
bool MessagePackReader::begin_container(std::uint64_t count, Kind kind,
                                        MessagePackValue& value) const {
  value.kind = kind;
  value.number = count;
  const std::uint64_t values = kind == Kind::map ? 2 * count : count;
  return values <= static_cast<std::uint64_t>(end_ - at_);
}

bool MessagePackReader::take_number(std::size_t width, std::uint64_t& number) {
  const char* const begin = at_;
  if (!take(width)) return false;
  switch (width) {
    case 1: number = static_cast<unsigned char>(*begin); return true;
    case 2: number = load_big_endian<std::uint16_t>(begin); return true;
    case 4: number = load_big_endian<std::uint32_t>(begin); return true;
    default: number = load_big_endian<std::uint64_t>(begin); return true;
  }
}

MessagePackReader::Skipped MessagePackReader::skip_content(const MessagePackValue& container,
                                                           std::size_t depth_max) {
  assert(depth_max <= limits::json_depth_max);
  struct Level {
    std::uint64_t left;  // Values still to come; of a map, keys and values alike.
    bool is_map;
  };
  std::array<Level, limits::json_depth_max> levels;
  std::size_t depth = 0;
  const auto enter = [&](const MessagePackValue& value) {
    if (depth == depth_max) return false;
    const bool is_map = value.kind == Kind::map;
    levels[depth++] = {.left = value.number * (is_map ? 2 : 1), .is_map = is_map};
    return true;
  };

  if (!enter(container)) return Skipped::too_deep;
  while (depth > 0) {
    Level& level = levels[depth - 1];
    if (level.left == 0) {
      --depth;
      continue;
    }
    const bool is_key = level.is_map && level.left % 2 == 0;
    --level.left;
    MessagePackValue inner;
    if (!next(inner)) return Skipped::malformed;
    if (is_key && inner.kind != Kind::text) return Skipped::malformed;
    if (!is_utf8(inner.text())) return Skipped::malformed;
    if (inner.is_container() && !enter(inner)) return Skipped::too_deep;
  }
  return Skipped::whole;
}

}  // namespace rps::jsonrpc
