#include "bench/scenarios/compare.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <unistd.h>

#include "bench/load/connect.hpp"
#include "bench/report/format.hpp"
#include "bench/report/progress.hpp"
#include "core/random.hpp"

namespace rps::load {

namespace {

// One row at one load.
struct Cell {
  std::size_t stage = 0;
  std::size_t connections = 0;
};

bool is_built(const Stage& stage, const std::filesystem::path& directory) {
  const bool has_binary =
      stage.binary.empty() || ::access((directory / stage.binary).c_str(), X_OK) == 0;
  return has_binary && speaks(stage.scheme);
}

std::vector<Cell> cells_of(const CompareRun& run) {
  std::vector<Cell> cells;
  for (std::size_t stage = 0; stage < run.options.stages.size(); ++stage) {
    if (!run.is_built[stage]) continue;
    for (const std::size_t connections : run.options.connections) {
      cells.push_back({.stage = stage, .connections = connections});
    }
  }
  return cells;
}

// Fisher and Yates, with our own generator: the order is the same on every standard library.
void shuffle(std::vector<Cell>& cells, std::uint64_t seed) {
  for (std::size_t left = cells.size(); left > 1; --left) {
    std::swap(cells[left - 1], cells[below(static_cast<std::uint32_t>(left), mix(seed, left))]);
  }
}

Clock::duration to_duration(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

std::string name_of(const Stage& stage, const Cell& cell, std::size_t round, std::size_t rounds) {
  return "round " + std::to_string(round + 1) + "/" + std::to_string(rounds) + "  " +
         std::string(stage.name) + ", " + std::to_string(cell.connections) +
         (cell.connections == 1 ? " connection" : " connections");
}

std::string summary_of(const Trial& trial) {
  if (!trial.valid) return "INVALID: " + trial.complaint();
  return format_rate(trial.per_second) + "/s, mean " + format_nanoseconds(trial.mean_ns);
}

class Comparison {
 public:
  Comparison(const CompareOptions& options, Interrupt& interrupt)
      : interrupt_(interrupt), run_{.options = options} {
    for (const Stage& stage : options.stages) {
      run_.is_built.push_back(is_built(stage, options.binaries));
    }
    cannot_start_.resize(options.stages.size());
  }

  CompareRun run() {
    std::vector<Cell> cells = cells_of(run_);
    const std::size_t rounds = run_.options.rounds;
    Progress progress(progress_style(run_.options.quiet), rounds * cells.size());
    for (std::size_t round = 0; round < rounds; ++round) {
      shuffle(cells, mix(run_.options.seed, round));
      for (const Cell& cell : cells) {
        if (!run_cell(cell, round, progress)) return std::move(run_);
      }
    }
    return std::move(run_);
  }

 private:
  // False when the run was interrupted; then the trial it cut short is not kept.
  bool run_cell(const Cell& cell, std::size_t round, Progress& progress) {
    const Stage& stage = run_.options.stages[cell.stage];
    progress.begin(name_of(stage, cell, round, run_.options.rounds));
    if (cannot_start_[cell.stage]) {
      progress.end("left out: it did not start");
      return true;
    }
    const Trial trial = run_trial(trial_options(stage, cell, round, progress));
    if (interrupt_.requested()) {
      run_.interrupted = true;
      return false;
    }
    cannot_start_[cell.stage] = !trial.start_error.empty();
    progress.end(summary_of(trial));
    run_.trials.push_back({.stage = cell.stage,
                           .connections = cell.connections,
                           .round = round,
                           .order = run_.trials.size(),
                           .trial = trial});
    return true;
  }

  TrialOptions trial_options(const Stage& stage, const Cell& cell, std::size_t round,
                             Progress& progress) {
    const CompareOptions& options = run_.options;
    return {.target = target_of(stage, options.binaries, options.seed),
            .connections = cell.connections,
            .warmup = to_duration(options.warmup),
            .window = to_duration(options.seconds),
            // The same moves for every stage of a round, others in the next.
            .seed = mix(options.seed, round),
            .cpus = options.cpus,
            .stderr_file = options.out / (std::string(stage.key) + ".log"),
            .keep_going = [this, &progress] {
              progress.tick();
              return !interrupt_.requested();
            }};
  }

  Interrupt& interrupt_;
  CompareRun run_;
  std::vector<bool> cannot_start_;
};

}  // namespace

bool CompareRun::all_valid() const {
  return std::ranges::all_of(trials, [](const CompareTrial& each) { return each.trial.valid; });
}

CompareRun run_compare(const CompareOptions& options, Interrupt& interrupt) {
  return Comparison(options, interrupt).run();
}

}  // namespace rps::load
