#include "bench/scenarios/peak.hpp"

#include <stdexcept>
#include <utility>
#include <vector>

#include "bench/model/statistics.hpp"

namespace rps::load {

double measure_peak(Run& run, const NamedTarget& target, const Load& load, std::size_t rounds,
                    const RunnerOptions& runner, Interrupt& interrupt) {
  Load closed = load;
  closed.schedule = {};
  const std::size_t cell = run.cells.size();
  run_cells(run, {target.at(closed, rounds)}, runner, interrupt);
  std::vector<double> good;
  for (const CellTrial& each : run.trials) {
    const Verdicts& verdicts = each.trial.verdicts;
    const bool is_honest = verdicts.not_right() == verdicts.of(Verdict::refused);
    if (each.cell == cell && is_honest && each.trial.answered > 0) {
      good.push_back(each.trial.good_per_second());
    }
  }
  if (!good.empty()) return median(std::move(good));
  if (run.interrupted) return 0;
  throw std::runtime_error("the closed loop failed: " + run.trials.back().trial.complaint());
}

}  // namespace rps::load
