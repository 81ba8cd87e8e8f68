// Frames: how a stream of bytes is divided into payloads. Code without I/O: bytes in, values out.
//
//    0        2      3            5
//    +--------+------+------------+-----------------+
//    | CA FE  | type | length u16 | payload         |   integers big-endian
//    +--------+------+------------+-----------------+   length counts the payload only
//
//    type, low nibble    1 request   2 response   3 notification (sent by the server unasked)
//    type, high nibble   codec of the payload: 0 JSON, 1 MessagePack, 2 fixed layout
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "stage2_jsonrpc/limits.hpp"

namespace rps::jsonrpc {

inline constexpr std::size_t frame_header_bytes = 5;

enum class FrameType : std::uint8_t { request = 1, response = 2, notification = 3 };

enum class Codec : std::uint8_t { json = 0, message_pack = 1, fixed_layout = 2 };

// What the front of a byte stream holds. Errors are reported as early as the bytes allow: a wrong
// magic at its first byte, a length above the limit before any of the payload has arrived.
struct DecodedFrame {
  enum class Outcome : std::uint8_t {
    need_more,  // The beginning of a frame, or nothing.
    frame,      // A whole frame: `type`, `codec`, `payload`, `size`.
    bad_magic,  // Not CA FE: this is no frame, and where the next frame begins is unknown.
    bad_type,   // A low nibble that is none of the three types.
    too_large,  // A length above the limit.
  };

  Outcome outcome = Outcome::need_more;
  FrameType type = FrameType::request;
  Codec codec = Codec::json;  // As it came: may be a number that has no name.
  std::string_view payload;   // Points into the bytes given.
  std::size_t size = 0;       // Header and payload.
};

DecodedFrame decode_frame(std::string_view bytes,
                          std::size_t payload_bytes_max = limits::frame_payload_bytes_max);

// Writes a frame around a payload that is appended in between, without copying it:
//
//   const std::size_t start = begin_frame(FrameType::response, Codec::json, out);
//   …append the payload to `out`…
//   end_frame(start, out);
//
// REQUIRES: the payload has at most limits::frame_payload_bytes_max bytes.
std::size_t begin_frame(FrameType type, Codec codec, std::string& out);
void end_frame(std::size_t start, std::string& out);

}  // namespace rps::jsonrpc
