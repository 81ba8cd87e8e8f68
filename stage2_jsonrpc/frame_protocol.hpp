// Frames in, frames out.
//
//   what comes in                               what goes out
//   a request frame of a codec that is offered  a response frame, or nothing for notifications
//   a request frame of another codec            an error frame (JSON, -32600); the stream goes on
//   no magic, or a type that is not request     an error frame (-32700, -32600); the stream ends
//   a length above frame_bytes_max              an error frame (-32003); the stream ends
#pragma once

#include <string>
#include <string_view>

#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/frame.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/protocol.hpp"

namespace rps::jsonrpc {

class FrameProtocol final : public Protocol {
 public:
  // REQUIRES: both outlive this.
  FrameProtocol(const Limits& limits, Responder& responder)
      : limits_(limits), responder_(responder) {}

  Progress turn(std::string_view bytes, Service& service, std::string& out) override;
  void append_event(const Event& event, std::string& out) override;

 private:
  std::size_t answer(const DecodedFrame& frame, Service& service, std::string& out);

  const Limits& limits_;
  Responder& responder_;
  const Format* format_ = &json_format;  // Of the last request: events are told in it.
};

}  // namespace rps::jsonrpc
