#include "stage3_grpc/boundary/message_limit.hpp"

#include <algorithm>

namespace rps::rpc::boundary {

namespace {

std::array<std::uint8_t, 4> bytes_of(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
          static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

}  // namespace

MessageLimit::MessageLimit(std::uint32_t message_bytes_max, std::size_t unfinished_max)
    : refused_length_(bytes_of(message_bytes_max + 1)),
      unfinished_max_(unfinished_max),
      frames_(FrameCutter::client_preface_bytes) {}

bool MessageLimit::apply(std::span<std::uint8_t> bytes) {
  bool is_of_use = true;
  frames_.cut(
      bytes,
      [&](const Frame& frame) {
        begin_frame(frame);
        if (frame.length == 0) is_of_use = end_frame() && is_of_use;
      },
      [&](std::span<std::uint8_t> payload, std::uint32_t left) {
        if (is_data_) take_data(payload);
        if (left == 0) is_of_use = end_frame() && is_of_use;
      });
  return is_of_use;
}

void MessageLimit::begin_frame(const Frame& frame) {
  is_data_ = frame.type == Frame::data;
  ends_stream_ = frame.ends_stream();
  stream_ = frame.stream;
  message_ = {};
  if (unfinished_.empty()) return;
  const auto found = unfinished_.find(stream_);
  if (found == unfinished_.end()) return;
  if (is_data_) message_ = found->second;
  // HEADERS begin the stream, or end it.
  const bool is_over = frame.type == Frame::headers || frame.type == Frame::rst_stream;
  if (is_data_ || is_over) unfinished_.erase(found);
}

bool MessageLimit::end_frame() {
  if (is_data_ && !ends_stream_ && message_.has_begun()) unfinished_[stream_] = message_;
  is_data_ = false;
  return unfinished_.size() <= unfinished_max_;
}

void MessageLimit::take_data(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    std::size_t count = 1;
    if (message_.prefix_filled < prefix_bytes) {
      take_prefix_byte(bytes.front());
    } else {
      count = std::min<std::size_t>(message_.length, bytes.size());
      message_.length -= static_cast<std::uint32_t>(count);
    }
    bytes = bytes.subspan(count);
    if (message_.prefix_filled == prefix_bytes && message_.length == 0) message_ = {};
  }
}

// The lengths are compared byte by byte, as a number is read from left to right: the first byte in
// which they differ decides. So this works however the prefix is cut.
void MessageLimit::take_prefix_byte(std::uint8_t& byte) {
  const std::uint8_t place = message_.prefix_filled++;
  if (place == 0) return;  // The flag.
  const std::uint8_t refused = refused_length_[place - 1U];
  if (message_.size == Size::undecided && byte != refused) {
    message_.size = byte < refused ? Size::allowed : Size::refused;
  }
  if (message_.size == Size::refused) byte = refused;
  message_.length = message_.length << 8 | byte;
}

}  // namespace rps::rpc::boundary
