// From the payload of one message to its reply, whatever the protocol around it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/trace.hpp"
#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/protocol.hpp"

namespace rps::jsonrpc {

// What the protocol knows about a payload.
struct Envelope {
  const Format& format;
  // Whether the protocol can send events. Without it the operations of a duel are refused.
  bool can_push = true;
  // The trace context of those calls that bring none of their own.
  std::optional<TraceContext> trace;
};

// Decodes `payload`, has its calls executed, and appends the encoded reply: nothing when no call
// wants one. Returns how many calls there were, at least 1.
std::size_t respond(std::string_view payload, const Envelope& envelope, Context& context,
                    std::string& out);

}  // namespace rps::jsonrpc
