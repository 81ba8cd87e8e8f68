#include "stage2_jsonrpc/frame_protocol.hpp"

#include <optional>

#include "stage2_jsonrpc/frame.hpp"
#include "stage2_jsonrpc/respond.hpp"

namespace rps::jsonrpc {

namespace {

constexpr Failure no_frame = malformed(Code::parse_error, "a frame begins with the bytes CA FE");
constexpr Failure no_request =
    malformed(Code::invalid_request, "the type of the frame is not request");
constexpr Failure no_codec = malformed(Code::invalid_request, "the codec is not offered");

// Why the stream cannot go on behind this frame.
std::optional<Failure> fatal_failure(const DecodedFrame& frame) {
  switch (frame.outcome) {
    case DecodedFrame::Outcome::need_more: return std::nullopt;
    case DecodedFrame::Outcome::bad_magic: return no_frame;
    case DecodedFrame::Outcome::bad_type: return no_request;
    case DecodedFrame::Outcome::too_large: return too_large_failure;
    // Answering a response would let two servers talk to each other for ever.
    case DecodedFrame::Outcome::frame:
      if (frame.type != FrameType::request) return no_request;
      return std::nullopt;
  }
  return std::nullopt;
}

// Appends an error frame.
void refuse(const Failure& failure, Context& context, std::string& out) {
  context.count_refusal(failure.error);
  const std::size_t start = begin_frame(FrameType::response, Codec::json, out);
  json_format.encode_failure(json_format.null_id, failure, out);
  end_frame(start, out);
}

}  // namespace

FrameProtocol::Step FrameProtocol::take_message(std::string_view bytes, Context& context,
                                                std::string& out) {
  const DecodedFrame frame = decode_frame(bytes, context.limits().frame_bytes_max);
  if (const auto failure = fatal_failure(frame)) {
    refuse(*failure, context, out);
    return {.next = Next::end};
  }
  if (frame.outcome != DecodedFrame::Outcome::frame) return {.next = Next::more_bytes};
  const Format* const format = format_of(frame.codec);
  if (format == nullptr) {
    refuse(no_codec, context, out);
    return {.consumed = frame.size, .calls = 1};
  }
  format_ = format;
  const std::size_t start = begin_frame(FrameType::response, frame.codec, out);
  const std::size_t calls =
      respond(frame.payload, {.format = *format, .can_push = true, .trace = {}}, context, out);
  if (out.size() > start + frame_header_bytes) {
    end_frame(start, out);
  } else {
    out.resize(start);  // No call of the payload wants a reply.
  }
  return {.consumed = frame.size, .calls = calls};
}

void FrameProtocol::encode_event(const Event& event, std::string& out) {
  const std::size_t start = begin_frame(FrameType::notification, format_->codec, out);
  format_->encode_event(event, out);
  end_frame(start, out);
}

}  // namespace rps::jsonrpc
