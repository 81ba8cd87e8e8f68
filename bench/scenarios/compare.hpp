// `rps-bench compare`: the stages side by side, one closed loop each, in interleaved rounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/interrupt.hpp"
#include "bench/load/trial.hpp"
#include "bench/scenarios/stages.hpp"

namespace rps::load {

struct CompareOptions {
  std::vector<Stage> stages{all_stages.begin(), all_stages.end()};
  std::vector<std::size_t> connections{1, connections_of_claims};
  std::size_t rounds = 6;
  double seconds = 1.5;  // The window of a trial.
  double warmup = 0.5;   // What comes before it.
  std::uint64_t seed = 1;
  std::optional<CpuPlan> cpus;
  std::filesystem::path binaries;  // Where the servers' binaries are.
  std::filesystem::path out;       // Where the report goes; servers' logs too. Must exist.
  bool quiet = false;
};

struct CompareTrial {
  std::size_t stage = 0;  // Of CompareOptions::stages.
  std::size_t connections = 0;
  std::size_t round = 0;
  std::size_t order = 0;  // Its place among all trials of the run.
  Trial trial;
};

struct CompareRun {
  CompareOptions options;
  std::vector<bool> is_built;  // For each of options.stages.
  std::vector<CompareTrial> trials;
  bool interrupted = false;

  // Whether every trial of a stage that is built was valid.
  bool all_valid() const;
};

// Measures every stage that is built at every number of connections once a round, in an order drawn
// anew for each round. What cannot be started is not tried again. Ends early, with what there is,
// when `interrupt` was requested.
CompareRun run_compare(const CompareOptions& options, Interrupt& interrupt);

}  // namespace rps::load
