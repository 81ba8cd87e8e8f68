#include "stage2_jsonrpc/dispatcher.hpp"

#include <algorithm>
#include <chrono>
#include <span>

#include <spdlog/fmt/fmt.h>
#include <spdlog/logger.h>

namespace rps::jsonrpc {

namespace {

Reply refused(const Command& command, Error error, std::uint32_t retry_after_ms = 0) {
  return {.operation = command.operation, .error = error, .retry_after_ms = retry_after_ms};
}

std::string hex(std::span<const std::uint8_t> bytes) {
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

}  // namespace

Dispatcher::Dispatcher(Shared& shared)
    : Context(shared.limits),
      shared_(shared),
      overload_(shared.limits.pass_max),
      peer_rate_(std::max(1U, shared.limits.calls_per_second_max), shared.limits.calls_burst_max) {}

void Dispatcher::begin_turn(const Turn& turn) {
  caller_ = &turn.caller;
  bucket_ = turn.bucket;
  now_ = turn.now;
  is_last_turn_ = turn.is_last;
  calls_ = 0;
}

void Dispatcher::end_turn() {
  const Clock::duration took = Clock::now() - now_;
  for (const Outcomes& outcomes : outcomes_) {
    shared_.metrics.answered(outcomes.operation, outcomes.error, took, outcomes.count);
    shared_.metrics.call_ended(outcomes.count);
  }
  outcomes_.clear();
}

Reply Dispatcher::execute(const Call& call) {
  const Command& command = call.command;
  ++calls_;
  if (const auto refusal = refuse(command)) {
    count(command.operation, refusal->error);
    return *refusal;
  }
  const Reply reply = shared_.game.handle(command, *caller_, now_);
  count(command.operation, reply.error);
  if (call.trace && call.trace->sampled) log_traced(call, reply);
  return reply;
}

// After the stop no other reason is given, because trying again here would be in vain. What one
// peer may not do comes next. A thread with too much to do still executes one call of each turn,
// because refusing a call costs nearly as much as executing it.
std::optional<Reply> Dispatcher::refuse(const Command& command) {
  using std::chrono::milliseconds;
  if (is_stopped_) return refused(command, Error::unavailable);
  if (bucket_ != nullptr) {
    const std::chrono::nanoseconds wait = bucket_->take(peer_rate_, now_);
    if (wait.count() > 0) {
      shared_.counters.count(Shed::rate);
      const auto wait_ms = std::chrono::ceil<milliseconds>(wait).count();
      return refused(command, Error::overloaded, static_cast<std::uint32_t>(wait_ms));
    }
  }
  if (calls_ > 1 && overload_.is_overloaded()) {
    shared_.counters.count(Shed::overload);
    return refused(command, Error::overloaded, rps::limits::retry_after_ms);
  }
  return std::nullopt;
}

void Dispatcher::count(std::optional<Operation> operation, std::optional<Error> error) {
  shared_.metrics.call_began();
  const bool is_alike = !outcomes_.empty() && outcomes_.back().operation == operation &&
                        outcomes_.back().error == error;
  if (!is_alike) outcomes_.push_back({.operation = operation, .error = error});
  ++outcomes_.back().count;
}

void Dispatcher::log_traced(const Call& call, const Reply& reply) {
  constexpr CallRate lines(limits::trace_lines_per_second_max, limits::trace_lines_per_second_max);
  if (trace_lines_.take(lines, Clock::now()).count() > 0) {
    shared_.counters.count_trace_line_dropped();
    return;
  }
  shared_.log.info("call operation={} outcome={} trace_id={} parent_id={}",
                   to_string(reply.operation), reply.error ? to_string(*reply.error) : "ok",
                   hex(call.trace->trace_id), hex(call.trace->parent_id));
}

}  // namespace rps::jsonrpc
