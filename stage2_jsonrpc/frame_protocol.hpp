// Frames in, frames out.
//
//   received                                    answered with
//   a request frame of a codec that is offered  a response frame, or nothing for notifications
//   a request frame of another codec            an error frame (JSON, -32600); the stream goes on
//   no magic, or a type that is not request     an error frame (-32700, -32600); the stream ends
//   a length above frame_bytes_max              an error frame (-32003); the stream ends
#pragma once

#include <string>
#include <string_view>

#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/protocol.hpp"

namespace rps::jsonrpc {

class FrameProtocol final : public Protocol {
 public:
  void encode_event(const Event& event, std::string& out) override;

 private:
  Step take_message(std::string_view bytes, Context& context, std::string& out) override;

  const Format* format_ = &json_format;  // Of the last request; events are encoded in the same.
};

}  // namespace rps::jsonrpc
