#include "core/fleet/retry.hpp"

#include <algorithm>
#include <chrono>

namespace rps::fleet {

bool may_repeat(const Command& command, Reach reach) {
  const bool may_be_done = reach == Reach::lost || reach == Reach::slow;
  return !may_be_done || is_idempotent(command);
}

Clock::duration backoff(const BackoffOptions& options, std::uint32_t retry, std::uint64_t random) {
  Clock::duration wait = std::min(options.first, options.max);
  for (std::uint32_t i = 1; i < retry && wait < options.max; ++i) {
    wait = std::min(wait * options.factor, options.max);
  }
  const double part = static_cast<double>(random >> 11) * 0x1p-53;  // In [0, 1).
  const auto jitter = static_cast<double>(options.jitter.count()) * part;
  return wait + Clock::duration(static_cast<Clock::rep>(jitter));
}

RetryBudget::RetryBudget(const RetryBudgetOptions& options, Clock::time_point now)
    : options_(options),
      saved_(100 * std::min(options.per_second, options.saved_max)),
      counted_until_(now) {}

void RetryBudget::on_call() {
  save(options_.percent);
}

bool RetryBudget::take(Clock::time_point now) {
  if (now > counted_until_) {
    const std::chrono::duration<double> passed = now - counted_until_;
    save(100 * options_.per_second * passed.count());
    counted_until_ = now;
  }
  if (saved_ < 100) return false;
  saved_ -= 100;
  return true;
}

void RetryBudget::save(double hundredths) {
  saved_ = std::min(saved_ + hundredths, 100 * options_.saved_max);
}

}  // namespace rps::fleet
