// Any bytes as what a connection brings, whichever protocol its first byte selects: what is said
// does not depend on the pieces in which they come, and is whole in the framing of that protocol.
//
// The first byte of an input chooses the pieces; the rest is the stream.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/frame.hpp"
#include "stage2_jsonrpc/protocol.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/fuzz/table.hpp"

namespace rps::jsonrpc {
namespace {

using Json = nlohmann::json;

// So that short inputs reach each of them.
constexpr Limits limits{.frame_bytes_max = 300,
                        .line_bytes_max = 300,
                        .body_bytes_max = 200,
                        .header_bytes_max = 200,
                        .batch_calls_max = 8,
                        .calls_per_turn = 4};

// The sizes of the pieces: two in turn, to the end of the stream.
struct Pieces {
  std::size_t one;
  std::size_t other;

  std::size_t next() {
    std::swap(one, other);
    return other;
  }
};

// From 1 to 16 bytes each.
Pieces chosen_pieces(std::uint8_t choice) {
  return {.one = 1U + (choice & 15U), .other = 1U + (choice >> 4U)};
}

// A connection without a socket.
class Line {
 public:
  explicit Line(char first) : protocol_(make_protocol(first, limits)) {}

  void bring(std::string_view piece) {
    if (ended_) return;
    in_ += piece;
    while (true) {
      const std::size_t said = out_.size();
      const Progress progress = protocol_->take_messages(in_, table_, out_);
      require(progress.consumed <= in_.size(), "no more is consumed than there is");
      in_.erase(0, progress.consumed);
      ended_ = progress.end;
      if (ended_ || !progress.more) return;
      require(progress.consumed > 0 || out_.size() > said,
              "a turn that leaves more does something");
    }
  }

  const std::string& out() const { return out_; }

 private:
  Table table_{limits};
  std::unique_ptr<Protocol> protocol_;
  std::string in_;
  std::string out_;
  bool ended_ = false;
};

// What is told to a client that waits before it sends its body depends, as it should, on whether
// it waits.
std::string without_continue(std::string text) {
  constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
  for (std::size_t at = 0; (at = text.find(interim, at)) != std::string::npos;) {
    text.erase(at, interim.size());
  }
  return text;
}

// When a header that cannot be one is refused, and with which status, does depend on the pieces: if
// its end has not come, more of it is waited for. Everything before the refusal does not.
std::string without_refusal(std::string text) {
  const std::size_t last = text.rfind("HTTP/1.1 4");
  const bool is_refusal = last != std::string::npos &&
                          text.find("\r\nConnection: close\r\n", last) != std::string::npos;
  if (is_refusal) text.resize(last);
  return text;
}

std::string answer(std::string_view stream, Pieces pieces) {
  Line line(stream.front());
  while (!stream.empty()) {
    const std::string_view piece = stream.substr(0, pieces.next());
    line.bring(piece);
    stream.remove_prefix(piece.size());
  }
  return without_refusal(without_continue(line.out()));
}

void check_payload(std::string_view payload, Codec codec) {
  switch (codec) {
    case Codec::json: require(Json::accept(payload), "a payload of JSON is JSON"); break;
    case Codec::message_pack:
      require(!Json::from_msgpack(payload, true, false).is_discarded(),
              "a payload of MessagePack is MessagePack");
      break;
    case Codec::fixed_layout: require(!payload.empty(), "a record has bytes"); break;
  }
}

void check_frames(std::string_view out) {
  while (!out.empty()) {
    const DecodedFrame frame = decode_frame(out);
    require(frame.outcome == DecodedFrame::Outcome::frame, "a server says frames");
    require(frame.type == FrameType::response, "a server answers with responses");
    check_payload(frame.payload, frame.codec);
    out.remove_prefix(frame.size);
  }
}

void check_lines(std::string_view out) {
  while (!out.empty()) {
    const std::size_t feed = out.find('\n');
    require(feed != std::string_view::npos, "a line ends");
    check_payload(out.substr(0, feed), Codec::json);
    out.remove_prefix(feed + 1);
  }
}

}  // namespace
}  // namespace rps::jsonrpc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rps::jsonrpc;
  if (size < 2) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string out = answer(stream, {.one = stream.size(), .other = stream.size()});
  require(out == answer(stream, chosen_pieces(data[0])), "the pieces are answered as the whole");
  if (out.starts_with('\xca')) check_frames(out);
  if (out.starts_with('{') || out.starts_with('[')) check_lines(out);
  return 0;
}
