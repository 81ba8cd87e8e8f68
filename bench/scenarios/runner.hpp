// Measures cells in interleaved rounds, whatever they are.
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
};

struct RunnerOptions {
  std::filesystem::path binaries;
  std::filesystem::path out;  // For the servers' logs. Must exist.
  Clock::duration interval = std::chrono::seconds(1);
  Clock::duration timeout = std::chrono::seconds(10);
  bool quiet = false;
};

// Adds `cells` and their trials to `run`, which says how (Run::plan). In each round every cell that
// takes part is measured once, in an order drawn anew. What cannot be started is not tried again.
// Ends early, with what there is, when `interrupt` was requested; then run.interrupted is set.
void run_cells(model::Run& run, const std::vector<PlannedCell>& cells, const RunnerOptions& options,
               Interrupt& interrupt);

// "grpc/64x1", "grpc/8x16", "grpc/64x64 poisson 10s@2000": of a subject's key and a load.
std::string cell_key(std::string_view subject, const model::Load& load);

}  // namespace rps::scenarios
