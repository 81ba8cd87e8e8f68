#include "stage3_grpc/boundary/message_limit.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/catch.hpp"
#include "tests/stage3_grpc/boundary/frames.hpp"

using namespace rps::rpc::boundary;

namespace {

constexpr std::uint32_t limit = 0x0001'0280;
constexpr std::size_t unfinished_max = 4'096;
const Bytes refused_length{0x00, 0x01, 0x02, 0x81};

Bytes frame_of(std::uint8_t type, std::uint8_t stream, const Bytes& payload,
               std::uint8_t flags = 0) {
  Bytes bytes = frame(type, 0, flags);
  bytes[1] = static_cast<std::uint8_t>(payload.size() >> 8);
  bytes[2] = static_cast<std::uint8_t>(payload.size());
  bytes[8] = stream;
  return bytes + payload;
}

Bytes data(std::uint8_t stream, const Bytes& payload, std::uint8_t flags = 0) {
  return frame_of(Frame::data, stream, payload, flags);
}

Bytes headers(std::uint8_t stream) {
  return frame_of(Frame::headers, stream, Bytes(10, 0xff));
}

Bytes prefix(const Bytes& length) {
  return Bytes{0} + length;
}

Bytes message(std::size_t length) {
  return prefix({0, 0, static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)}) +
         Bytes(length, 0xff);
}

// What gRPC reads of the bytes that follow the preface, when they come in pieces of this size.
Bytes read(const Bytes& bytes, std::size_t piece) {
  MessageLimit message_limit(limit, unfinished_max);
  Bytes all = preface() + bytes;
  std::span<std::uint8_t> left(all);
  while (!left.empty()) {
    const std::size_t count = std::min(piece, left.size());
    REQUIRE(message_limit.apply(left.first(count)));
    left = left.subspan(count);
  }
  return {all.begin() + FrameCutter::client_preface_bytes, all.end()};
}

// Checks that gRPC reads `changed` of `sent`, however the bytes are cut.
void check(const Bytes& sent, const Bytes& changed) {
  for (std::size_t piece = 1; piece <= sent.size() + 1; piece += piece < 64 ? 1 : sent.size() / 7) {
    CAPTURE(piece);
    REQUIRE((read(sent, piece) == changed));
  }
}

void check_unchanged(const Bytes& sent) {
  check(sent, sent);
}

}  // namespace

TEST_CASE("Messages up to the limit are read as they were sent") {
  check_unchanged(headers(1) + data(1, message(0)) + data(1, message(5) + message(300)));
  check_unchanged(headers(1) + data(1, prefix({0x00, 0x01, 0x02, 0x80}) + Bytes(100, 0xff)));
  check_unchanged(headers(1) + data(1, prefix({0x00, 0x01, 0x01, 0xff}) + Bytes(100, 0xff)));
  check_unchanged(headers(1) + data(1, prefix({0x00, 0x00, 0xff, 0xff}) + Bytes(100, 0xff)));
}

TEST_CASE("A longer message is announced as the limit and one") {
  for (const Bytes& length : {refused_length, Bytes{0x00, 0x01, 0x02, 0x82},
                              Bytes{0x00, 0x01, 0x03, 0x00}, Bytes{0x00, 0x02, 0x00, 0x00},
                              Bytes{0x01, 0x00, 0x00, 0x00}, Bytes{0xff, 0xff, 0xff, 0xff}}) {
    CAPTURE(length);
    const Bytes rest(30, 0xff);
    check(headers(1) + data(1, prefix(length) + rest),
          headers(1) + data(1, prefix(refused_length) + rest));
    check(headers(1) + data(1, message(3) + prefix(length) + rest),
          headers(1) + data(1, message(3) + prefix(refused_length) + rest));
  }
}

TEST_CASE("A prefix may be spread over frames, and over those of other streams") {
  check(headers(1) + data(1, {0, 0x7f}) + headers(3) + data(3, message(1) + Bytes{0, 0x00}) +
            data(1, {}) + data(1, {0xff}) + frame_of(Frame::ping, 0, Bytes(8, 0xff)) +
            data(3, {0, 0, 2, 0xff}) + data(1, {0xff, 0x00, 0xff}) + data(3, {0xff}),
        headers(1) + data(1, {0, 0x00}) + headers(3) + data(3, message(1) + Bytes{0, 0x00}) +
            data(1, {}) + data(1, {0x01}) + frame_of(Frame::ping, 0, Bytes(8, 0xff)) +
            data(3, {0, 0, 2, 0xff}) + data(1, {0x02, 0x81, 0xff}) + data(3, {0xff}));
}

TEST_CASE("Other frames, and what looks like a prefix inside a message, are left alone") {
  check_unchanged(frame_of(Frame::settings, 0, Bytes(18, 0xff)) + headers(1) +
                  frame_of(Frame::continuation, 1, Bytes(40, 0xff)) + data(1, message(200)) +
                  frame_of(Frame::window_update, 1, Bytes(4, 0xff)) +
                  frame_of(0x77, 1, Bytes(50, 0xff)));
}

TEST_CASE("What comes before a stream's headers does not hide its first message") {
  const Bytes stray = data(1, {0, 0, 0, 0, 9});
  const Bytes huge = prefix({0x7f, 0xff, 0xff, 0xff});
  check(stray + headers(1) + data(1, huge), stray + headers(1) + data(1, prefix(refused_length)));
}

TEST_CASE("Calls that end in the middle of a message are forgotten") {
  const Bytes half = data(1, {0, 0, 0, 0, 9, 0xff});
  MessageLimit message_limit(limit, unfinished_max);
  Bytes bytes = preface();
  REQUIRE(message_limit.apply(bytes));
  for (std::size_t i = 0; i < 2 * unfinished_max; ++i) {
    bytes = half;
    bytes[7] = static_cast<std::uint8_t>(i >> 8);
    bytes[8] = static_cast<std::uint8_t>(i);
    if (i % 2 == 0) {
      bytes[4] = Frame::end_stream;
    } else {
      Bytes reset = frame_of(Frame::rst_stream, bytes[8], Bytes(4, 8));
      reset[7] = bytes[7];
      bytes = bytes + reset;
    }
    REQUIRE(message_limit.apply(bytes));
  }
}

TEST_CASE("More calls than a client can have open are not left in the middle of a message") {
  MessageLimit message_limit(limit, unfinished_max);
  Bytes bytes = preface();
  REQUIRE(message_limit.apply(bytes));
  for (std::size_t i = 0; i <= unfinished_max; ++i) {
    bytes = data(1, {0, 0, 0, 0, 9, 0xff});
    bytes[7] = static_cast<std::uint8_t>(i >> 8);
    bytes[8] = static_cast<std::uint8_t>(i);
    REQUIRE(message_limit.apply(bytes) == (i < unfinished_max));
  }
}
