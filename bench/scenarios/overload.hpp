// Offers a server twice the rate that it can answer, for some seconds: measures its goodput under
// overload, and how soon it recovers.
//
//   offered    50 %  |  200 % of a closed loop's throughput  |  50 %
//   measured   p99   |  goodput                              |  when p99 is back
#pragma once

#include <optional>
#include <string>

#include "bench/scenarios/runner.hpp"
#include "bench/scenarios/targets.hpp"

namespace rps::scenarios {

struct OverloadResult {
  double peak = 0;            // Of the closed loop, per second.
  double before_p99_ns = 0;   // Median over the intervals before the overload; 0: no right answer.
  double during_good = 0;     // Right answers a second while overloaded …
  double during_p99_ns = 0;   // … the median of their intervals' p99, 0 when there was none …
  double during_dropped = 0;  // … calls a second that found no room …
  double during_bad = 0;      // … and that were refused or failed.
  double bad_p99_ns = 0;      // The p99 of those answers; 0 when there was none.
  // From the end of the overload until p99 is within recovered_factor of what it was and stays
  // there for three intervals; nothing when it does not come back.
  std::optional<double> recovered_seconds;
};

inline constexpr double recovered_factor = 1.1;

// Poisson arrivals: `half` a second before the overload, `twice` during and `half` after it, for as
// long.
load::Schedule overload_schedule(double half, double twice, double seconds_before, double seconds);

// Under an overload of so many seconds; half as long before it, as long after it. Calls beyond
// those that `load` keeps open are dropped, and counted. Both trials become cells of the run.
// Throws std::runtime_error when the closed loop fails.
OverloadResult run_overload(Measurement& measurement, const NamedTarget& target, model::Load load,
                            double seconds);

// From the series of the second trial. REQUIRES: phases of that shape.
OverloadResult judge_overload(const model::Trial& trial, const std::vector<load::Phase>& phases,
                              double peak);

std::string to_text(const OverloadResult& result);

}  // namespace rps::scenarios
