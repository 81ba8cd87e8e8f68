// Encoding and decoding of a stream's bytes: the part of a client that each stage implements for
// its protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/command.hpp"

namespace rps::net {

// Encodes requests and decodes replies and events. One codec serves all streams of a client, one
// call at a time.
class WireCodec {
 public:
  virtual ~WireCodec() = default;

  // Appends one request. `sequence` counts the requests of the stream, from 1; a protocol whose
  // requests carry an id uses it as the id.
  virtual void encode(std::uint64_t sequence, const Command& command, std::string& out) = 0;

  // The oldest request of the stream that was sent and is not answered yet.
  struct Expected {
    Operation operation = Operation::play;
    std::uint64_t sequence = 0;
  };

  enum class Outcome : std::uint8_t {
    need_more,  // No whole message yet.
    reply,      // `reply` holds the answer to the expected request.
    event,      // `event` holds an event of a duel.
    broken,     // These bytes are no message: the stream cannot be used any longer.
  };

  // Reads one message from the front of `bytes`, which is not empty, and sets `consumed` to its
  // length. `expected` is null when no request is open: then a reply is `broken`. `reply` and
  // `event` come in default-constructed. Views put into `reply` must point into `bytes`, to
  // constants, or into the codec, where they stay valid until its next call.
  virtual Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed,
                         Reply& reply, Event& event) = 0;
};

}  // namespace rps::net
