#include "stage3_grpc/dispatcher.hpp"

#include <grpcpp/server_context.h>

#include "stage3_grpc/time.hpp"

namespace rps::rpc {

Reply Dispatcher::refused(const chain::Refusal& refusal, const chain::CallInfo& call) {
  return {.operation = call.operation.value_or(Operation::play),
          .error = refusal.error,
          .retry_after_ms = refusal.retry_after_ms};
}

Reply Dispatcher::carry_out(const std::optional<Command>& command,
                            const grpc::CallbackServerContext& context, Caller& caller,
                            AfterClose after_close, Clock::time_point now) {
  if (after_close == AfterClose::refuse && closed_.load(std::memory_order_relaxed)) {
    return {.error = Error::unavailable};
  }
  // Nobody waits any more for the answer to a call whose deadline has passed.
  if (to_time_point(context.raw_deadline()) <= now) return {.error = Error::deadline_exceeded};
  if (!command) return {.error = Error::malformed_request};
  return game_.handle(*command, caller, now);
}

}  // namespace rps::rpc
