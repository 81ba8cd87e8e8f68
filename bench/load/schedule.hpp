// When the calls of an open loop are due, independently of the answers.
//
//   rate   |        ______            Phases follow each other; in each the rate goes evenly from
//          |  _____/      \____       one value to another. Calls are spread evenly over the
//          | /                        rate, drawn at random (Poisson), or come in bursts.
//          +---------------------- t
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rps::load {

enum class Arrivals : std::uint8_t {
  constant,  // Equal gaps.
  poisson,   // Exponential gaps, as from many independent callers.
};

struct Phase {
  double seconds = 0;
  double from_per_second = 0;
  double to_per_second = 0;

  bool operator==(const Phase&) const = default;
};

struct Schedule {
  Arrivals arrivals = Arrivals::constant;
  std::size_t burst = 1;      // Calls due at the same instant; the rate stays the same.
  std::vector<Phase> phases;  // None: a closed loop, which has no plan.

  bool is_closed() const { return phases.empty(); }
  double seconds() const;
  double calls() const;  // Expected over all phases.

  bool operator==(const Schedule&) const = default;
};

// One rate for `seconds`.
Schedule steady(Arrivals arrivals, double per_second, double seconds);

// The phases of "2000" (a rate, for `seconds`), "1k..5k" (a ramp over `seconds`) or
// "5s@1000,10s@8000,500ms@1k..2k" (phases with their own lengths; a length without a unit counts
// seconds). core/number.hpp defines durations and rates. The error is a sentence.
std::expected<std::vector<Phase>, std::string> parse_phases(std::string_view text, double seconds);

// The inverse, with the lengths: "5s@1000,10s@8000,5s@1000..2000".
std::string to_string(const std::vector<Phase>& phases);

// Tells when each call of a schedule is due, one after the other.
//
// The k-th call of constant arrivals is due when the integral of the rate reaches k; for Poisson
// arrivals the integral advances by unit exponential steps, which makes the gaps exponential with
// the rate of the moment (time change of a Poisson process).
class ArrivalClock {
 public:
  // Keeps a copy. One seed gives one sequence.
  ArrivalClock(Schedule schedule, std::uint64_t seed);

  // From the beginning of the schedule; nothing when it has ended. Never earlier than before.
  std::optional<std::chrono::nanoseconds> next();

 private:
  double step();

  Schedule schedule_;
  std::uint64_t random_;
  std::size_t phase_ = 0;
  double phase_begins_ = 0;    // Seconds since the beginning …
  double phase_integral_ = 0;  // … and calls due by then.
  double target_ = 0;          // Calls due by the last one told.
  std::size_t left_of_burst_ = 0;
  std::chrono::nanoseconds last_{};
};

}  // namespace rps::load
