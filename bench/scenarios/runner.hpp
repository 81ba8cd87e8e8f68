// Measures any cells in interleaved rounds.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "bench/model/run.hpp"
#include "bench/report/progress.hpp"
#include "bench/scenarios/interrupt.hpp"

namespace rps::scenarios {

struct PlannedCell {
  model::Cell cell;
  model::Target target;
  std::size_t rounds = 0;  // It takes part in the first so many rounds.
  // When this machine is found to lack what its server needs, the run is not invalid: the subject
  // is left out (Run::left_out) for that reason. A server that does not start otherwise makes it
  // so.
  bool is_optional = false;
};

struct RunnerOptions {
  std::filesystem::path binaries;
  std::filesystem::path out;  // For the servers' logs. Must exist.
  Clock::duration interval = std::chrono::seconds(1);
  Clock::duration timeout = std::chrono::seconds(10);
  report::ProgressStyle progress = report::ProgressStyle::lines;
  bool through_outages = false;  // See load::LoopOptions.
};

// A run that is being measured, and how.
struct Measurement {
  model::Run run;  // Its plan says rounds, times, seed and CPUs.
  RunnerOptions options;
  Interrupt interrupt;
};

// Adds `cells` and their trials to the run. In each round every cell that takes part is measured
// once, in an order drawn anew. In the first round the floors come after their stages: a floor
// moves as many bytes as were counted for a call of the first cell at the same load whose floor it
// is. What cannot be started is not tried again; if it was left out, its cells stay without a
// trial. Ends early, with what there is, when the interrupt was requested; then run.interrupted is
// set.
void run_cells(Measurement& measurement, const std::vector<PlannedCell>& cells);

}  // namespace rps::scenarios
