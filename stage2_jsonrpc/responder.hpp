// From the payload of one message to its reply, whatever the protocol around it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/trace.hpp"
#include "stage2_jsonrpc/call.hpp"
#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/protocol.hpp"

namespace rps::jsonrpc {

// Keeps nothing between two payloads but its memory, so one serves all connections of a thread.
class Responder {
 public:
  explicit Responder(const Limits& limits) : limits_(limits) {}

  // What the protocol knows about a payload.
  struct Envelope {
    const Format& format;
    bool can_push = true;  // Without it nobody may join a duel, as its events could not be told.
    std::optional<TraceContext> trace;  // Of the calls that bring none of their own.
  };

  // Has the calls of `payload` carried out and appends their reply, or nothing when none of them
  // wants one. Returns how many calls there were, at least 1.
  std::size_t answer(std::string_view payload, const Envelope& envelope, Service& service,
                     std::string& out);

 private:
  void answer_batch(const Envelope& envelope, Service& service, std::string& out);

  const Limits& limits_;
  Calls calls_;
};

}  // namespace rps::jsonrpc
