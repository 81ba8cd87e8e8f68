// The throughput of a closed loop, from which other scenarios choose the rates of their open loops.
#pragma once

#include "bench/scenarios/runner.hpp"
#include "bench/scenarios/targets.hpp"

namespace rps::scenarios {

// Right answers a second, the median of `rounds` trials, which become a cell of the run. A trial in
// which the server refused calls as overloaded is invalid, but its right answers count here all the
// same. Throws std::runtime_error when nothing was answered, or an answer was wrong; returns 0 when
// the run was interrupted before that.
double measure_peak(Measurement& measurement, const NamedTarget& target, const model::Load& load,
                    std::size_t rounds);

}  // namespace rps::scenarios
