// What a closed loop gets out of a target: where questions about rates begin.
#pragma once

#include "bench/model/run.hpp"
#include "bench/scenarios/interrupt.hpp"
#include "bench/scenarios/runner.hpp"
#include "bench/scenarios/targets.hpp"

namespace rps::scenarios {

// Right answers a second, the median of `rounds` trials, which become a cell of `run`. What a
// server refuses for want of room makes the trial invalid, but what it answered says all the same
// where to look. Throws std::runtime_error when nothing was answered, or wrongly; 0 when the run
// was interrupted before that.
double measure_peak(model::Run& run, const NamedTarget& target, const model::Load& load,
                    std::size_t rounds, const RunnerOptions& runner, Interrupt& interrupt);

}  // namespace rps::scenarios
