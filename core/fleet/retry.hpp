// When a failed call may be tried again: whether that is safe, how long to wait, and whether the
// budget of retries allows it.
#pragma once

#include <cstdint>

#include "core/clock.hpp"
#include "core/command.hpp"
#include "core/fleet/limits.hpp"

namespace rps::fleet {

// How far a failed call got.
enum class Reach : std::uint8_t {
  nowhere,   // No instance could take it.
  not_sent,  // Its connection failed before a byte of it was written.
  refused,   // An instance answered that it did not carry it out: unavailable, overloaded.
  lost,      // It was written, and its connection broke: it may have been carried out.
  slow,      // The attempt has taken too long, and may still be carried out.
};

// Whether trying again is safe: always, unless the call may have been carried out and is not
// idempotent.
bool may_repeat(const Command& command, Reach reach);

// The wait before the n-th retry grows like first, first * factor, first * factor², … to `max`,
// and a random part in [0, jitter) keeps clients that failed together from coming back together.
struct BackoffOptions {
  Clock::duration first = limits::backoff_first_default;
  std::uint32_t factor = limits::backoff_factor;
  Clock::duration max = limits::backoff_max_default;
  Clock::duration jitter = limits::backoff_jitter_default;
};

// The wait before retry number `retry`, 1 being the first. `random` is 64 random bits.
Clock::duration backoff(const BackoffOptions& options, std::uint32_t retry, std::uint64_t random);

struct RetryBudgetOptions {
  std::uint32_t percent = limits::retry_percent_default;  // Retries for a hundred calls.
  double per_second = limits::retries_per_second_floor;
  double saved_max = limits::retries_saved_max;
};

// A token bucket that keeps retries a small part of the load, because retries of all clients would
// make an overload worse. Calls and time add tokens; a retry takes one.
class RetryBudget {
 public:
  // Starts with what one second brings.
  RetryBudget(const RetryBudgetOptions& options, Clock::time_point now);

  void on_call();

  // Takes the cost of a retry; false when there is not enough.
  bool take(Clock::time_point now);

 private:
  void save(double hundredths);

  RetryBudgetOptions options_;
  double saved_;  // Hundredths of a retry: whole numbers as long as only calls fill it.
  Clock::time_point counted_until_;
};

}  // namespace rps::fleet
