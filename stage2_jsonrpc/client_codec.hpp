// The client's side of frames: commands are encoded into request frames; response and notification
// frames are decoded into replies and events. For the other two framings see client_line.hpp and
// client_http.hpp.
#pragma once

#include "core/net/wire_codec.hpp"
#include "stage2_jsonrpc/client_format.hpp"

namespace rps::jsonrpc {

class ClientCodec final : public net::WireCodec {
 public:
  explicit ClientCodec(Codec codec = Codec::json) : format_(client_format_of(codec)) {}

  // Appends a request frame. A payload longer than a frame can hold is cut to the longest that it
  // can; the server then refuses the request as malformed.
  void encode(std::uint64_t sequence, const Command& command, std::string& out) override;

  // Decodes the frame at the front of `bytes`, whose payload is in this connection's codec or in
  // JSON. JSON is accepted with every codec because the server reports an error in JSON when it
  // cannot tell the codec of a request. A frame that is neither the expected reply nor an event
  // breaks the stream.
  Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed,
                 Reply& reply, Event& event) override;

 private:
  const ClientFormat& format_;
};

}  // namespace rps::jsonrpc
