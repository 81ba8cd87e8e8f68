#include "bench/scenarios/peak.hpp"

#include <stdexcept>
#include <utility>
#include <vector>

#include "bench/model/statistics.hpp"

namespace rps::scenarios {

double measure_peak(Measurement& measurement, const NamedTarget& target, const model::Load& load,
                    std::size_t rounds) {
  model::Run& run = measurement.run;
  model::Load closed = load;
  closed.schedule = {};
  const std::size_t cell = run.cells.size();
  run_cells(measurement, {target.at(closed, rounds)});
  std::vector<double> good;
  for (const model::CellTrial& each : model::trials_of(run, cell)) {
    const load::Verdicts& verdicts = each.trial.verdicts;
    const bool is_honest = verdicts.not_right() == verdicts.of(load::Verdict::refused);
    if (is_honest && each.trial.answered > 0) {
      good.push_back(each.trial.good_per_second());
    }
  }
  if (!good.empty()) return model::median(std::move(good));
  if (run.interrupted) return 0;
  throw std::runtime_error("the closed loop failed: " + run.trials.back().trial.complaint());
}

}  // namespace rps::scenarios
