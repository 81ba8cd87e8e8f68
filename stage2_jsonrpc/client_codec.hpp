// What the bytes of a connection mean to its client: frames of JSON-RPC on the wire, commands,
// replies and events on this side.
#pragma once

#include "core/runtime/stream_client.hpp"

namespace rps::jsonrpc {

// Reads our own server's replies in one pass and any other server's through a tree, whatever the
// order of their members. The reply's id must be the expected call's; an error without an id is
// taken as the answer to the oldest call, as the server could not tell whose it was.
class ClientCodec final : public runtime::WireCodec {
 public:
  // A payload longer than a frame can hold is cut there: the server refuses it as no JSON.
  void encode(std::uint64_t sequence, const Command& command, std::string& out) override;

  Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed,
                 Reply& reply, Event& event) override;
};

}  // namespace rps::jsonrpc
