// Cuts one direction of an HTTP/2 connection into frames (RFC 9113, section 4.1), however its bytes
// arrive. Only the nine bytes of each frame's header are kept, and only until they are complete.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rps::rpc::boundary {

// What a frame's header says.
struct Frame {
  // RFC 9113, section 6. A peer may send any other number as well.
  enum Type : std::uint8_t {
    data = 0,
    headers = 1,
    priority = 2,
    rst_stream = 3,
    settings = 4,
    ping = 6,
    goaway = 7,
    window_update = 8,
    continuation = 9,
  };
  static constexpr std::uint8_t end_stream = 1;   // Of DATA and HEADERS.
  static constexpr std::uint8_t ack = 1;          // Of SETTINGS and PING.
  static constexpr std::uint8_t end_headers = 4;  // Of HEADERS and CONTINUATION.

  bool ends_stream() const {
    return (type == data || type == headers) && (flags & end_stream) != 0;
  }

  std::uint32_t length = 0;  // Of the payload that follows the header.
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
};

class FrameCutter {
 public:
  // A client's direction begins with a preface of 24 bytes, a server's with a frame.
  static constexpr std::uint32_t client_preface_bytes = 24;

  // Passes over the first `preface_bytes`.
  explicit FrameCutter(std::uint32_t preface_bytes) : skip_(preface_bytes) {}

  // Takes the direction's next bytes. Calls on_frame(Frame) for each frame whose header they
  // complete.
  template <class OnFrame>
  void cut(std::span<const std::uint8_t> bytes, OnFrame on_frame) {
    cut(bytes, on_frame, [](std::span<const std::uint8_t>, std::uint32_t) {});
  }

  // The same; calls on_payload(piece, left) besides for each piece of the preface or of a frame's
  // payload, of which `left` bytes are still to come.
  template <class Byte, class OnFrame, class OnPayload>
  void cut(std::span<Byte> bytes, OnFrame on_frame, OnPayload on_payload);

  // The next byte begins a frame.
  bool is_between_frames() const { return skip_ == 0 && filled_ == 0; }

 private:
  static constexpr std::uint32_t stream_bits = 0x7fff'ffff;  // The bit besides is reserved.

  static std::uint32_t number(std::span<const std::uint8_t> big_endian) {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : big_endian) value = value << 8 | byte;
    return value;
  }

  std::uint32_t skip_;      // Bytes until the next header begins.
  std::size_t filled_ = 0;  // Bytes of header_ that have come.
  std::array<std::uint8_t, 9> header_{};
};

template <class Byte, class OnFrame, class OnPayload>
void FrameCutter::cut(std::span<Byte> bytes, OnFrame on_frame, OnPayload on_payload) {
  while (true) {
    const std::span<Byte> piece = bytes.first(std::min<std::size_t>(skip_, bytes.size()));
    if (!piece.empty()) {
      skip_ -= static_cast<std::uint32_t>(piece.size());
      on_payload(piece, skip_);
      bytes = bytes.subspan(piece.size());
    }
    if (bytes.empty()) return;

    const std::size_t count = std::min(header_.size() - filled_, bytes.size());
    std::copy_n(bytes.begin(), count, header_.begin() + filled_);
    bytes = bytes.subspan(count);
    filled_ += count;
    if (filled_ < header_.size()) return;

    filled_ = 0;
    skip_ = number(std::span<const std::uint8_t>(header_).first(3));
    on_frame(Frame{.length = skip_,
                   .type = header_[3],
                   .flags = header_[4],
                   .stream = number(std::span<const std::uint8_t>(header_).last(4)) & stream_bits});
  }
}

}  // namespace rps::rpc::boundary
