// Keeps gRPC from collecting a message that is longer than it may be. gRPC 1.51 looks at the length
// of a message when all of it has arrived, and makes room for whatever length is announced.
//
// A gRPC message in HTTP/2's DATA begins with a flag and its length, four bytes, the first one the
// most significant (PROTOCOL-HTTP2.md of gRPC, "Length-Prefixed-Message"). A length above the limit
// is changed to the limit and one before gRPC reads it. So gRPC refuses that message, with
// RESOURCE_EXHAUSTED, as soon as one byte more than the limit has come.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>

#include "stage3_grpc/boundary/frame_cutter.hpp"

namespace rps::rpc::boundary {

// The direction of one connection from client to server. One thread at a time.
class MessageLimit {
 public:
  // `unfinished_max`: calls that may stop in the middle of a message without the client ending or
  // resetting them. REQUIRES: more than a client may have open; the others were ended by the
  // server.
  MessageLimit(std::uint32_t message_bytes_max, std::size_t unfinished_max);

  // The client's next bytes, which are changed as said above. False when there are more than
  // unfinished_max calls as described; then the limit is of no more use.
  bool apply(std::span<std::uint8_t> bytes);

 private:
  static constexpr std::size_t prefix_bytes = 5;

  // What the bytes of a length that have come say about it.
  enum class Size : std::uint8_t { undecided, allowed, refused };

  // How far a message has come. A new one is at the beginning of its prefix.
  struct Message {
    // While the prefix comes: the part of the length read so far. Then: bytes of the message that
    // are still to come.
    std::uint32_t length = 0;
    std::uint8_t prefix_filled = 0;
    Size size = Size::undecided;

    bool has_begun() const { return prefix_filled > 0; }
  };

  void begin_frame(const Frame& frame);
  bool end_frame();
  void take_data(std::span<std::uint8_t> bytes);
  void take_prefix_byte(std::uint8_t& byte);

  const std::array<std::uint8_t, 4> refused_length_;  // The limit and one.
  const std::size_t unfinished_max_;
  FrameCutter frames_;
  // Of the frame whose payload comes.
  bool is_data_ = false;
  bool ends_stream_ = false;
  std::uint32_t stream_ = 0;
  Message message_;
  std::unordered_map<std::uint32_t, Message> unfinished_;  // By stream.
};

}  // namespace rps::rpc::boundary
