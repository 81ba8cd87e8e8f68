// JSON-RPC without frames: one JSON text on each line, both ways. Clients in other languages use it
// because it is simple; ours supports it for tests and measurements.
#pragma once

#include "core/net/wire_codec.hpp"

namespace rps::jsonrpc {

// A line that is neither the expected reply nor an event breaks the stream.
class LineClientCodec final : public net::WireCodec {
 public:
  void encode(std::uint64_t sequence, const Command& command, std::string& out) override;

  Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed,
                 Reply& reply, Event& event) override;
};

}  // namespace rps::jsonrpc
