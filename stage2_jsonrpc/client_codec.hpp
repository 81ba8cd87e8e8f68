// What the bytes of a connection mean to its client, in frames: JSON-RPC on the wire, commands,
// replies and events on this side. For the other two framings see client_line.hpp, client_http.hpp.
#pragma once

#include "core/net/stream_client.hpp"
#include "stage2_jsonrpc/client_format.hpp"

namespace rps::jsonrpc {

class ClientCodec final : public net::WireCodec {
 public:
  explicit ClientCodec(Codec codec = Codec::json) : format_(client_format_of(codec)) {}

  // A payload longer than a frame can hold is cut there: the server refuses it as malformed.
  void encode(std::uint64_t sequence, const Command& command, std::string& out) override;

  // Frames of the codec and, as the server refuses in it what is no frame of a codec, of JSON.
  Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed,
                 Reply& reply, Event& event) override;

 private:
  const ClientFormat& format_;
};

}  // namespace rps::jsonrpc
