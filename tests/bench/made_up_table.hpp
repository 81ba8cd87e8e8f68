// A run that fills a table of the catalogue with invented figures.
#pragma once

#include <string>

#include "bench/report/table_spec.hpp"
#include "tests/bench/made_up_run.hpp"

namespace rps::model {

// Seven rounds of every cell that a row of the table shows or is held against. The slots of a cell
// do not matter to a table.
inline Run made_up_run_of(const report::TableSpec& table) {
  constexpr std::size_t rounds = 7;
  Run run = made_up_run(0);
  run.plan.rounds = rounds;
  run.tables = {std::string(table.key)};
  const auto measure = [&run](const report::CellName& name) {
    const std::string key = cell_key(name.subject, name.load(run.plan.seconds));
    if (name.subject.empty() || run.find(key) != nullptr) return;
    run.cells.push_back({.key = key, .subject = std::string(name.subject), .load = {64}});
    for (std::size_t round = 0; round < rounds; ++round) {
      run.trials.push_back(
          {run.cells.size() - 1, round, run.trials.size(), made_up_trial(98'765.4, 64, round)});
      run.trials.back().trial.fault = {.began_seconds = 1.25,
                                       .ended_seconds = 2.5,
                                       .gap_seconds = 0.123'456,
                                       .recovered_seconds = 1.234'567,
                                       .rejoined_seconds = 0.123'456};
    }
  };
  for (const report::RowSpec& row : table.rows) {
    measure(row.cell);
    measure(row.base);
  }
  return run;
}

}  // namespace rps::model
