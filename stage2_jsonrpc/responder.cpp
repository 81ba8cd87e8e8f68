#include "stage2_jsonrpc/responder.hpp"

#include <algorithm>

#include "stage2_jsonrpc/openrpc.hpp"

namespace rps::jsonrpc {

namespace {

constexpr Failure cannot_push{.code = Code::method_not_found,
                              .error = Error::unknown_operation,
                              .detail = "a duel needs a connection that can be pushed to"};
constexpr Failure discover_in_batch{.code = Code::invalid_request,
                                    .error = Error::malformed_request,
                                    .detail = "rpc.discover stands alone, not in a batch"};

bool is_duel(Operation operation) {
  return operation != Operation::play && operation != Operation::score;
}

// Why the call cannot be carried out, although its format found nothing wrong.
std::optional<Failure> failure_of(const Call& call, bool in_batch,
                                  const Responder::Envelope& envelope) {
  if (call.failure) return call.failure;
  if (call.is_discover) return in_batch ? std::optional(discover_in_batch) : std::nullopt;
  if (!envelope.can_push && is_duel(call.command.operation)) return cannot_push;
  return std::nullopt;
}

// Carries one call out. Appends its reply, if it wants one.
void answer_call(Call& call, bool in_batch, const Responder::Envelope& envelope, Service& service,
                 std::string& out) {
  const Format& format = envelope.format;
  if (const auto failure = failure_of(call, in_batch, envelope)) {
    service.refused(failure->error);
    if (call.wants_reply) format.append_failure(call.id, *failure, out);
    return;
  }
  if (call.is_discover) {
    if (call.wants_reply) append_openrpc_reply(call.id, out);
    return;
  }
  if (envelope.trace && !call.trace) call.trace = envelope.trace;
  const Reply reply = service.call(call);
  if (call.wants_reply) format.append_reply(call.id, reply, out);
}

}  // namespace

std::size_t Responder::answer(std::string_view payload, const Envelope& envelope, Service& service,
                              std::string& out) {
  envelope.format.read(payload, limits_.batch_calls_max, calls_);
  if (calls_.is_batch) {
    answer_batch(envelope, service, out);
  } else {
    answer_call(calls_.list.front(), false, envelope, service, out);
  }
  return calls_.list.size();
}

void Responder::answer_batch(const Envelope& envelope, Service& service, std::string& out) {
  const Format& format = envelope.format;
  const auto replies =
      static_cast<std::size_t>(std::ranges::count_if(calls_.list, &Call::wants_reply));
  if (replies > 0) format.begin_batch(replies, out);
  std::size_t written = 0;
  for (Call& call : calls_.list) {
    if (call.wants_reply && written++ > 0) format.separate(out);
    answer_call(call, true, envelope, service, out);
  }
  if (replies > 0) format.end_batch(out);
}

}  // namespace rps::jsonrpc
