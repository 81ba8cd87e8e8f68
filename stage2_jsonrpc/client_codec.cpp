#include "stage2_jsonrpc/client_codec.hpp"

#include "stage2_jsonrpc/frame.hpp"

namespace rps::jsonrpc {

void ClientCodec::encode(std::uint64_t sequence, const Command& command, std::string& out) {
  const std::size_t start = begin_frame(FrameType::request, format_.codec, out);
  format_.append_request(sequence, command, out);
  const std::size_t end_max = start + frame_header_bytes + limits::frame_payload_bytes_max;
  if (out.size() > end_max) out.resize(end_max);
  end_frame(start, out);
}

ClientCodec::Outcome ClientCodec::decode(std::string_view bytes, const Expected* expected,
                                         std::size_t& consumed, Reply& reply, Event& event) {
  const DecodedFrame frame = decode_frame(bytes);
  if (frame.outcome == DecodedFrame::Outcome::need_more) return Outcome::need_more;
  if (frame.outcome != DecodedFrame::Outcome::frame) return Outcome::broken;
  if (frame.codec != format_.codec && frame.codec != Codec::json) return Outcome::broken;
  const ClientFormat& format = frame.codec == format_.codec ? format_ : json_client_format;
  consumed = frame.size;
  switch (frame.type) {
    case FrameType::request: return Outcome::broken;
    case FrameType::notification:
      return format.read_event(frame.payload, event) ? Outcome::event : Outcome::broken;
    case FrameType::response: break;
  }
  if (expected == nullptr) return Outcome::broken;
  reply.operation = expected->operation;
  const bool is_reply = format.read_reply(frame.payload, expected->sequence, reply);
  return is_reply ? Outcome::reply : Outcome::broken;
}

}  // namespace rps::jsonrpc
