#include "stage2_jsonrpc/exchange.hpp"

#include <optional>

#include "stage2_jsonrpc/dom.hpp"
#include "stage2_jsonrpc/frame.hpp"
#include "stage2_jsonrpc/reply.hpp"
#include "stage2_jsonrpc/scan.hpp"

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
constexpr Failure too_large{
    .code = Code::too_large, .error = Error::too_large, .detail = explain(Error::too_large)};

// Why the stream cannot go on behind this frame.
std::optional<Failure> fatal_failure(const DecodedFrame& frame) {
  switch (frame.outcome) {
    case DecodedFrame::Outcome::need_more: return std::nullopt;
    case DecodedFrame::Outcome::bad_magic: return no_frame;
    case DecodedFrame::Outcome::bad_type: return no_request;
    case DecodedFrame::Outcome::too_large: return too_large;
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
  append_failure("null", failure, out);
  end_frame(start, out);
}

// Carries one call out. Appends its reply, if it wants one.
void answer_call(const Call& call, Service& service, std::string& out) {
  if (call.failure) {
    service.refused(call.failure->error);
    if (call.wants_reply) append_failure(call.id, *call.failure, out);
    return;
  }
  const Reply reply = service.call(call.command);
  if (call.wants_reply) append_reply(call.id, reply, out);
}

}  // namespace

Exchange::Progress Exchange::turn(std::string_view bytes, Service& service, std::string& out) {
  Progress progress;
  std::size_t calls = 0;
  while (true) {
    if (calls >= limits_.calls_per_turn || out.size() > limits_.unsent_bytes_max) {
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
    if (frame.outcome != DecodedFrame::Outcome::frame) return progress;

    progress.consumed += frame.size;
    ++progress.frames;
    if (frame.codec == Codec::json) {
      calls += answer(frame.payload, service, out);
    } else {
      refuse(no_codec, service, out);
      ++calls;
    }
  }
}

// Returns how many calls the payload held.
std::size_t Exchange::answer(std::string_view payload, Service& service, std::string& out) {
  if (!scan(payload, limits_.batch_calls_max, calls_)) {
    read_dom(payload, limits_.batch_calls_max, calls_);
  }
  const std::size_t start = begin_frame(FrameType::response, Codec::json, out);
  const std::size_t empty = out.size();
  if (!calls_.is_batch) {
    answer_call(calls_.list.front(), service, out);
  } else {
    for (const Call& call : calls_.list) {
      const std::size_t before = out.size();
      out.push_back(before == empty ? '[' : ',');
      answer_call(call, service, out);
      if (out.size() == before + 1) out.resize(before);  // It wanted no reply.
    }
    if (out.size() > empty) out.push_back(']');
  }
  if (out.size() > empty) {
    end_frame(start, out);
  } else {
    out.resize(start);
  }
  return calls_.list.size();
}

}  // namespace rps::jsonrpc
