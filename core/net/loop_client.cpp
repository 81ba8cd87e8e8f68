#include "core/net/loop_client.hpp"

#include <cassert>
#include <utility>

namespace rps::net {

std::size_t LoopClient::poll(Clock::time_point deadline, Sink& sink) {
  sink_ = &sink;
  answer_refused();
  do {
    step(deadline);
  } while (handed_over_ == 0 && Clock::now() < deadline);
  sink_ = nullptr;
  return std::exchange(handed_over_, 0);
}

void LoopClient::flush_and_wait(Clock::time_point until) {
  loop_.flush(*this);
  loop_.wait(handed_over_ > 0 ? Clock::time_point::min() : until, *this);
}

void LoopClient::refuse(std::uint64_t id, Operation operation, Error error) {
  refused_.push_back({.id = id, .operation = operation, .error = error, .at = Clock::now()});
}

// Calls that are refused while the sink handles these answers wait for the next poll.
void LoopClient::answer_refused() {
  if (refused_.empty()) return;
  std::swap(refused_, being_answered_);
  for (const Refused& call : being_answered_) {
    hand_over(call.id, {.operation = call.operation, .error = call.error},
              {.sent_at = call.at, .received_at = Clock::now(), .is_answered = false});
  }
  being_answered_.clear();
}

void LoopClient::hand_over(std::uint64_t id, const Reply& reply, const Stamps& stamps) {
  assert(sink_ != nullptr);
  sink_->on_reply(id, reply, stamps);
  ++handed_over_;
}

void LoopClient::hand_over(const Event& event) {
  if (sink_ == nullptr) return;
  sink_->on_event(event);
  ++handed_over_;
}

}  // namespace rps::net
