// Encoding and decoding of a stream's bytes: the part of a client that each stage implements for
// its protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/command.hpp"

namespace rps::net {

// Encodes requests and decodes replies and events. One codec serves all streams of a client, so it
// keeps nothing of a stream: decode() reads a message from its beginning each time.
class WireCodec {
 public:
  virtual ~WireCodec() = default;

  // The error that answers a command which the protocol has no request for: nothing is sent.
  virtual std::optional<Error> refusal(const Command& /*command*/) const { return std::nullopt; }

  // Appends one request. `sequence` counts the requests of the stream, from 1; a protocol whose
  // requests carry an id uses it as the id. REQUIRES: !refusal(command).
  virtual void encode(std::uint64_t sequence, const Command& command, std::string& out) = 0;

  // Whether a peer may answer with a `last_reply`. Then the first request of a stream is sent
  // alone, as a peer that closes after each reply may have begun with all others as well (RFC 9112,
  // section 9.3.2).
  virtual bool has_last_replies() const { return false; }

  // Whether the server may carry out what encode() writes for `command` twice.
  virtual bool may_repeat(const Command& command) const { return is_idempotent(command); }

  // The oldest request of the stream that was sent and is not answered yet.
  struct Expected {
    Operation operation = Operation::play;
    std::uint64_t sequence = 0;
  };

  enum class Outcome : std::uint8_t {
    need_more,   // No whole message yet.
    reply,       // `reply` holds the answer to the expected request.
    last_reply,  // The same, and the peer closes the stream now. It processes no further request.
    event,       // `event` holds an event of a duel.
    broken,      // These bytes are no message: the stream cannot be used any longer.
  };

  // Reads one message from the front of `bytes`, which is not empty, and sets `consumed` to its
  // length. `expected` is null when no request is open: then a reply is `broken`. `reply` and
  // `event` come in default-constructed. Views put into `reply` must point into `bytes`, to
  // constants, or into the codec, where they stay valid until its next call.
  virtual Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed,
                         Reply& reply, Event& event) = 0;

  // The stream has ended behind `bytes`, of which decode() needed more. `last_reply` when the end
  // of the stream is the end of the answer, else `broken`. `expected` is not null; `reply` as
  // above.
  virtual Outcome decode_end(std::string_view bytes, const Expected& expected, Reply& reply);
};

inline WireCodec::Outcome WireCodec::decode_end(std::string_view, const Expected&, Reply&) {
  return Outcome::broken;
}

}  // namespace rps::net
