#include "stage2_jsonrpc/frame.hpp"

#include <algorithm>
#include <cassert>

namespace rps::jsonrpc {

namespace {

constexpr std::string_view magic = "\xCA\xFE";

unsigned byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<unsigned char>(bytes[index]);
}

}  // namespace

DecodedFrame decode_frame(std::string_view bytes, std::size_t payload_bytes_max) {
  using enum DecodedFrame::Outcome;
  DecodedFrame decoded;
  const std::size_t magic_seen = std::min(bytes.size(), magic.size());
  if (bytes.substr(0, magic_seen) != magic.substr(0, magic_seen)) {
    decoded.outcome = bad_magic;
    return decoded;
  }
  if (bytes.size() < 3) return decoded;

  const unsigned type = byte_at(bytes, 2) & 0x0f;
  if (type < 1 || type > 3) {
    decoded.outcome = bad_type;
    return decoded;
  }
  decoded.type = static_cast<FrameType>(type);
  decoded.codec = static_cast<Codec>(byte_at(bytes, 2) >> 4);
  if (bytes.size() < frame_header_bytes) return decoded;

  const std::size_t length = (byte_at(bytes, 3) << 8) | byte_at(bytes, 4);
  if (length > payload_bytes_max) {
    decoded.outcome = too_large;
    return decoded;
  }
  if (bytes.size() - frame_header_bytes < length) return decoded;
  decoded.outcome = frame;
  decoded.payload = bytes.substr(frame_header_bytes, length);
  decoded.size = frame_header_bytes + length;
  return decoded;
}

std::size_t begin_frame(FrameType type, Codec codec, std::string& out) {
  const std::size_t start = out.size();
  const unsigned type_byte = (static_cast<unsigned>(codec) << 4) | static_cast<unsigned>(type);
  const char header[frame_header_bytes] = {magic[0], magic[1], static_cast<char>(type_byte), 0, 0};
  out.append(header, sizeof header);
  return start;
}

void end_frame(std::size_t start, std::string& out) {
  const std::size_t length = out.size() - start - frame_header_bytes;
  assert(length <= limits::frame_payload_bytes_max);
  out[start + 3] = static_cast<char>(length >> 8);
  out[start + 4] = static_cast<char>(length & 0xff);
}

}  // namespace rps::jsonrpc
