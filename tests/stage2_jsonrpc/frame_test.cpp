#include "stage2_jsonrpc/frame.hpp"

#include <string>
#include <string_view>

#include "tests/catch.hpp"
#include "tests/stage2_jsonrpc/frames.hpp"

namespace rps::jsonrpc {
namespace {

using enum DecodedFrame::Outcome;
using namespace std::literals;

TEST_CASE("A frame is seen when its last byte is there and not before") {
  const std::string bytes = frame_of("{}", 0x13) + "next";
  for (std::size_t size = 0; size < 7; ++size) {
    CHECK(decode_frame(std::string_view(bytes).substr(0, size)).outcome == need_more);
  }
  for (std::size_t size = 7; size <= bytes.size(); ++size) {
    const DecodedFrame decoded = decode_frame(std::string_view(bytes).substr(0, size));
    REQUIRE(decoded.outcome == frame);
    CHECK(decoded.type == FrameType::notification);
    CHECK(decoded.codec == Codec::message_pack);
    CHECK(decoded.payload == "{}");
    CHECK(decoded.size == 7);
  }
}

TEST_CASE("A frame may be empty, and may have the longest payload its length can say") {
  CHECK(decode_frame(frame_of("")).outcome == frame);
  const std::string longest(limits::frame_payload_bytes_max, 'x');
  const std::string bytes = frame_of(longest);
  CHECK(decode_frame(bytes).payload == longest);
  CHECK(decode_frame(std::string_view(bytes).substr(0, bytes.size() - 1)).outcome == need_more);
}

TEST_CASE("What is no frame is refused at the first byte that shows it") {
  CHECK(decode_frame("G").outcome == bad_magic);
  CHECK(decode_frame("\xCA\xFF").outcome == bad_magic);
  for (const int type : {0x00, 0x04, 0x0f, 0x10, 0xf0}) {
    CHECK(decode_frame("\xCA\xFE"s + static_cast<char>(type)).outcome == bad_type);
  }
}

TEST_CASE("A length one past the limit is refused before its payload comes") {
  const std::string at_limit = frame_of(std::string(100, 'x'));
  CHECK(decode_frame(at_limit, 100).outcome == frame);
  CHECK(decode_frame(std::string_view(at_limit).substr(0, 5), 99).outcome == too_large);
}

TEST_CASE("What is written around a payload is read again") {
  std::string out = "before";
  const std::size_t start = begin_frame(FrameType::response, Codec::json, out);
  out += std::string(300, 'x');
  end_frame(start, out);
  CHECK(out == "before" + frame_of(std::string(300, 'x'), 0x02));
}

}  // namespace
}  // namespace rps::jsonrpc
