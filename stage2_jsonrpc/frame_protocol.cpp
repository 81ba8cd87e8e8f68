#include "stage2_jsonrpc/frame_protocol.hpp"

#include <optional>

#include "stage2_jsonrpc/responder.hpp"

namespace rps::jsonrpc {

namespace {

constexpr Failure no_frame{.code = Code::parse_error,
                           .error = Error::malformed_request,
                           .detail = "a frame begins with the bytes CA FE"};
constexpr Failure no_request{.code = Code::invalid_request,
                             .error = Error::malformed_request,
                             .detail = "the type of the frame is not request"};
constexpr Failure no_codec{.code = Code::invalid_request,
                           .error = Error::malformed_request,
                           .detail = "the codec is not offered"};

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

void refuse(const Failure& failure, Service& service, std::string& out) {
  service.refused(failure.error);
  const std::size_t start = begin_frame(FrameType::response, Codec::json, out);
  json_format.append_failure(json_format.null_id, failure, out);
  end_frame(start, out);
}

}  // namespace

Progress FrameProtocol::turn(std::string_view bytes, Service& service, std::string& out) {
  Progress progress;
  std::size_t calls = 0;
  while (progress.consumed < bytes.size()) {
    if (is_turn_over(limits_, calls, out.size())) {
      progress.more = true;
      return progress;
    }
    const DecodedFrame frame =
        decode_frame(bytes.substr(progress.consumed), limits_.frame_bytes_max);
    if (const auto failure = fatal_failure(frame)) {
      refuse(*failure, service, out);
      progress.end = true;
      return progress;
    }
    if (frame.outcome != DecodedFrame::Outcome::frame) {
      progress.partial = true;
      return progress;
    }
    progress.consumed += frame.size;
    ++progress.messages;
    calls += answer(frame, service, out);
  }
  return progress;
}

// Returns how many calls the frame held.
std::size_t FrameProtocol::answer(const DecodedFrame& frame, Service& service, std::string& out) {
  const Format* const format = format_of(frame.codec);
  if (format == nullptr) {
    refuse(no_codec, service, out);
    return 1;
  }
  format_ = format;
  const std::size_t start = begin_frame(FrameType::response, frame.codec, out);
  const std::size_t calls = responder_.answer(
      frame.payload, {.format = *format, .can_push = true, .trace = {}}, service, out);
  if (out.size() > start + frame_header_bytes) {
    end_frame(start, out);
  } else {
    out.resize(start);
  }
  return calls;
}

void FrameProtocol::append_event(const Event& event, std::string& out) {
  const std::size_t start = begin_frame(FrameType::notification, format_->codec, out);
  format_->append_event(event, out);
  end_frame(start, out);
}

}  // namespace rps::jsonrpc
