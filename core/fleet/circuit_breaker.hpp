// Stops calls to an instance that fails, and tests later with one call whether it works again.
//
//               failures_max failures within `window`
//     closed ──────────────────────────────────────────▶ open ◀──────────────┐
//       ▲                                                 │ after `open`     │ the probe fails
//       │                 the probe succeeds              ▼                  │
//       └───────────────────────────────────────────── half-open ────────────┘
//                                                       lets one call through: the probe
//
// A pure state machine: no clock, no timer, no lock. `now` must not go back between calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/clock.hpp"
#include "core/fleet/limits.hpp"

namespace rps::fleet {

struct BreakerOptions {
  std::size_t failures_max = limits::breaker_failures_default;  // At least 1.
  Clock::duration window = limits::breaker_window_default;
  Clock::duration open = limits::breaker_open_default;
};

class CircuitBreaker {
 public:
  enum class State : std::uint8_t { closed, open, half_open };

  // The permission for one call. The call's outcome counts only in the state that gave the
  // permission: an answer to a call from before the breaker opened is not the probe's answer.
  class Ticket {
   public:
    Ticket() = default;

   private:
    friend class CircuitBreaker;
    explicit Ticket(std::uint64_t era) : era_(era) {}
    std::uint64_t era_ = 0;  // 0 is nobody's.
  };

  explicit CircuitBreaker(const BreakerOptions& options);

  // Asks for permission for one call. The caller must report exactly one outcome for each ticket.
  std::optional<Ticket> allow(Clock::time_point now);

  // What allow() would say, without taking the probe's place.
  bool would_allow(Clock::time_point now) const;

  void on_success(Ticket ticket, Clock::time_point now);

  // True when this failure opened the breaker.
  bool on_failure(Ticket ticket, Clock::time_point now);

  // The call ended without telling anything about the instance: it was never sent there.
  void on_abandoned(Ticket ticket);

  State state(Clock::time_point now) const;

 private:
  void enter(State state);
  bool trip(Clock::time_point now);
  bool record_failure(Clock::time_point now);

  BreakerOptions options_;
  State state_ = State::closed;  // `open` until somebody asks after the time is over.
  std::uint64_t era_ = 1;        // Counts changes of state.
  bool is_probing_ = false;
  Clock::time_point opened_at_;
  std::vector<Clock::time_point>
      failures_;  // A ring of the newest, `oldest_` being the next to go.
  std::size_t oldest_ = 0;
  std::size_t failure_count_ = 0;  // Of `failures_`, those that are set.
};

}  // namespace rps::fleet
