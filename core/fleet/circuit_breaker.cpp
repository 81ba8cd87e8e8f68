#include "core/fleet/circuit_breaker.hpp"

#include <cassert>

namespace rps::fleet {

CircuitBreaker::CircuitBreaker(const BreakerOptions& options)
    : options_(options), failures_(options.failures_max) {
  assert(options.failures_max > 0);
}

CircuitBreaker::State CircuitBreaker::state(Clock::time_point now) const {
  const bool waited = state_ == State::open && now - opened_at_ >= options_.open;
  return waited ? State::half_open : state_;
}

bool CircuitBreaker::would_allow(Clock::time_point now) const {
  switch (state(now)) {
    case State::closed: return true;
    case State::open: return false;
    case State::half_open: return !is_probing_;
  }
  return false;
}

std::optional<CircuitBreaker::Ticket> CircuitBreaker::allow(Clock::time_point now) {
  if (!would_allow(now)) return std::nullopt;
  if (state(now) == State::half_open) {
    if (state_ == State::open) enter(State::half_open);
    is_probing_ = true;
  }
  return Ticket(era_);
}

void CircuitBreaker::on_success(Ticket ticket, Clock::time_point) {
  if (ticket.era_ != era_ || state_ != State::half_open) return;
  enter(State::closed);
}

bool CircuitBreaker::on_failure(Ticket ticket, Clock::time_point now) {
  if (ticket.era_ != era_) return false;
  return state_ == State::half_open ? trip(now) : record_failure(now);
}

void CircuitBreaker::on_abandoned(Ticket ticket) {
  if (ticket.era_ == era_) is_probing_ = false;
}

// Every change of state makes the tickets of before worthless and forgets what was counted.
void CircuitBreaker::enter(State state) {
  state_ = state;
  ++era_;
  is_probing_ = false;
  oldest_ = failure_count_ = 0;
}

bool CircuitBreaker::trip(Clock::time_point now) {
  enter(State::open);
  opened_at_ = now;
  return true;
}

// The breaker opens when the newest failures_max failures lie within the window.
bool CircuitBreaker::record_failure(Clock::time_point now) {
  failures_[oldest_] = now;
  oldest_ = oldest_ + 1 < failures_.size() ? oldest_ + 1 : 0;
  if (failure_count_ < failures_.size()) ++failure_count_;
  const bool is_full = failure_count_ == failures_.size();
  return is_full && now - failures_[oldest_] <= options_.window && trip(now);
}

}  // namespace rps::fleet
