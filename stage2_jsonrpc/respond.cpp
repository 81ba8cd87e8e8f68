#include "stage2_jsonrpc/respond.hpp"

#include <algorithm>

#include "stage2_jsonrpc/openrpc.hpp"

namespace rps::jsonrpc {

namespace {

constexpr Failure cannot_push{.code = Code::method_not_found,
                              .error = Error::unknown_operation,
                              .detail = "a duel needs a connection that can be pushed to"};
constexpr Failure discover_in_batch =
    malformed(Code::invalid_request, "rpc.discover stands alone, not in a batch");

// Why the call cannot be executed, although it may have been decoded without a failure.
std::optional<Failure> failure_of(const Call& call, bool in_batch, const Envelope& envelope) {
  if (call.failure) return call.failure;
  if (call.is_discover) return in_batch ? std::optional(discover_in_batch) : std::nullopt;
  if (!envelope.can_push && is_of_duel(call.command.operation)) return cannot_push;
  return std::nullopt;
}

}  // namespace

std::size_t respond(std::string_view payload, const Envelope& envelope, Context& context,
                    std::string& out) {
  const Format& format = envelope.format;
  Calls& calls = context.decoded_calls();
  format.decode(payload, context.limits().batch_calls_max, calls);

  const auto replies = static_cast<std::size_t>(
      calls.is_batch ? std::ranges::count_if(calls.list, &Call::wants_reply) : 0);
  if (replies > 0) format.begin_batch(replies, out);
  std::size_t replied = 0;
  for (Call& call : calls.list) {
    if (call.wants_reply && replied++ > 0) format.separate(out);
    if (const auto failure = failure_of(call, calls.is_batch, envelope)) {
      context.count_refusal(failure->error);
      if (call.wants_reply) format.encode_failure(call.id, *failure, out);
    } else if (call.is_discover) {
      if (call.wants_reply) append_openrpc_reply(call.id, out);
    } else {
      if (envelope.trace && !call.trace) call.trace = envelope.trace;
      const Reply reply = context.execute(call);
      if (call.wants_reply) format.encode_reply(call.id, reply, out);
    }
  }
  if (replies > 0) format.end_batch(out);
  return calls.list.size();
}

}  // namespace rps::jsonrpc
