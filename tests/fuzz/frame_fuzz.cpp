// Any bytes as the front of a stream of frames.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "stage2_jsonrpc/frame.hpp"
#include "tests/fuzz/require.hpp"

namespace rps::jsonrpc {
namespace {

using Outcome = DecodedFrame::Outcome;

constexpr std::size_t payload_bytes_max = 300;  // So that short inputs reach it.

// A frame is its header and its payload, and nothing is lost between them.
void check_frame(std::string_view bytes, const DecodedFrame& frame) {
  require(frame.size == frame_header_bytes + frame.payload.size(), "a frame has its size");
  require(frame.payload.size() <= payload_bytes_max, "a payload is within its limit");
  require(frame.payload.data() == bytes.data() + frame_header_bytes, "a payload is the bytes");
  std::string again;
  const std::size_t start = begin_frame(frame.type, frame.codec, again);
  again += frame.payload;
  end_frame(start, again);
  require(again == bytes.substr(0, frame.size), "what is written again is what was read");
}

// What came in pieces is judged as what came at once: as soon as anything but need_more is said,
// more bytes change nothing.
void check_prefixes(std::string_view bytes, Outcome whole) {
  bool is_judged = false;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const DecodedFrame frame = decode_frame(bytes.substr(0, size), payload_bytes_max);
    require(!is_judged || frame.outcome != Outcome::need_more, "a judgement stands");
    is_judged = frame.outcome != Outcome::need_more;
    if (is_judged) require(frame.outcome == whole, "the pieces are judged as the whole");
  }
}

}  // namespace
}  // namespace rps::jsonrpc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rps::jsonrpc;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  while (true) {
    const DecodedFrame frame = decode_frame(bytes, payload_bytes_max);
    check_prefixes(bytes.substr(0, frame_header_bytes + payload_bytes_max), frame.outcome);
    if (frame.outcome != Outcome::frame) return 0;
    check_frame(bytes, frame);
    bytes.remove_prefix(frame.size);
  }
}
