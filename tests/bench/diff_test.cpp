#include "bench/report/diff.hpp"

#include <algorithm>
#include <sstream>

#include "bench/model/format.hpp"
#include "bench/report/table.hpp"
#include "tests/bench/made_up_run.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::report;

namespace {

// The same run measured again, with every trial of a cell slower by `factor` and by a little noise.
model::Run again(double factor, std::string_view cell = "fast/64x1") {
  model::Run run = model::made_up_run();
  run.id = "again";
  for (model::CellTrial& each : run.trials) {
    const double noise = 1 + 0.001 * static_cast<double>(rps::mix(99, each.order) % 10);
    const bool is_slower = run.cells[each.cell].key == cell;
    const double qps = static_cast<double>(each.trial.answered) * noise / (is_slower ? factor : 1);
    const auto slots = static_cast<double>(run.cells[each.cell].load.slots());
    each.trial = model::made_up_trial(qps, slots, each.order);
  }
  return run;
}

const MetricDiff& find(const Diff& diff, std::string_view cell, model::Metric metric) {
  const auto of_cell = std::ranges::find(diff.cells, cell, &CellDiff::cell);
  REQUIRE(of_cell != diff.cells.end());
  const auto found = std::ranges::find(of_cell->metrics, metric, &MetricDiff::metric);
  REQUIRE(found != of_cell->metrics.end());
  return *found;
}

std::vector<std::string> names(const Diff& diff) {
  std::vector<std::string> all;
  for (const SettingDiff& each : diff.settings) all.push_back(each.name);
  return all;
}

}  // namespace

TEST_CASE("a run is not different from itself") {
  const model::Run run = model::made_up_run();
  const Diff diff = diff_of(run, run);
  CHECK(diff.cells.size() == 3);
  for (const CellDiff& cell : diff.cells) {
    CHECK(cell.metrics.size() == 4);
    for (const MetricDiff& each : cell.metrics) {
      CHECK(each.ratio.median == Approx(1));
      CHECK(each.p == Approx(1));
      CHECK(each.change == Change::indistinguishable);
    }
  }
  CHECK(diff.settings.empty());
  CHECK(diff.only_base.empty());
  CHECK(diff.only_next.empty());
  CHECK(regressions(diff, 0).empty());
}

TEST_CASE("slower is worse in both of what it means, in the cell that it happened to") {
  const Diff diff = diff_of(model::made_up_run(), again(1.25));
  CHECK(find(diff, "fast/64x1", model::Metric::qps).change == Change::worse);
  CHECK(find(diff, "fast/64x1", model::Metric::qps).ratio.median == Approx(0.8).margin(0.03));
  CHECK(find(diff, "fast/64x1", model::Metric::p50).change == Change::worse);
  CHECK(find(diff, "fast/64x1", model::Metric::p50).ratio.median == Approx(1.25).margin(0.05));
  CHECK(find(diff, "fast/64x1", model::Metric::cpu_us).change == Change::worse);
  CHECK(find(diff, "slow/64x1", model::Metric::qps).change == Change::indistinguishable);

  const Diff back = diff_of(again(1.25), model::made_up_run());
  CHECK(find(back, "fast/64x1", model::Metric::qps).change == Change::better);
  CHECK(find(back, "fast/64x1", model::Metric::p99).change == Change::better);
}

TEST_CASE("a regression is worse by more than is allowed, and not by chance") {
  const Diff diff = diff_of(model::made_up_run(), again(1.25));
  const auto found = regressions(diff, 0.1);
  REQUIRE(found.size() == 4);
  CHECK(found[0].starts_with("fast/64x1: qps is 0.8"));
  CHECK(found[1].starts_with("fast/64x1: p50 is 1.2"));
  CHECK(regressions(diff, 0.4).empty());
  CHECK(regressions(diff_of(again(1.25), model::made_up_run()), 0.1).empty());  // Better is none.

  // The median is off by a tenth, but so are trials of the base.
  model::Run noisy = model::made_up_run();
  model::Run worse = model::made_up_run();
  for (model::CellTrial& each : noisy.trials) {
    if (each.round % 2 == 0) each.trial.answered = each.trial.answered * 13 / 10;
  }
  CHECK(regressions(diff_of(noisy, worse), 0.1).empty());
}

TEST_CASE("cells that only one run has are named, and so are cells without valid trials") {
  model::Run base = model::made_up_run();
  model::Run next = model::made_up_run();
  base.cells[2].key = "gone/1x1";
  next.cells[2].key = "new/1x1";
  for (model::CellTrial& each : next.trials) each.trial.valid = each.cell != 0;
  const Diff diff = diff_of(base, next);
  CHECK(diff.only_base == std::vector<std::string>{"gone/1x1"});
  CHECK(diff.only_next == std::vector<std::string>{"new/1x1"});
  REQUIRE(diff.cells.size() == 2);
  CHECK(diff.cells[0].metrics.empty());
  const std::string text = to_text(diff);
  CHECK(text.find("no figure is in both runs") != std::string::npos);
  CHECK(text.find("slow/64x1: qps is absent in the new run: INVALID: nothing was answered.") !=
        std::string::npos);
  CHECK(text.find("Only in the base run: gone/1x1.") != std::string::npos);
}

TEST_CASE("what else differs is named, what is never the same is not") {
  const model::Run base = model::made_up_run();
  model::Run next = model::made_up_run();
  next.environment.date = "2031-01-01T00:00:00Z";
  next.environment.details[1].second = "3.14";  // The load average.
  next.plan.seed = 8;
  CHECK(diff_of(base, next).settings.empty());

  next.environment.cpu = "Another processor";
  next.environment.details = {{"memory", "1 GiB"}, {"governor", "powersave"}};
  next.plan.cpus = machine::CpuPlan{.server = 0, .load = 1};
  next.plan.seconds = 10;
  next.cells[0].load.depth = 4;
  next.cells[1].command = "other --flags";
  CHECK(names(diff_of(base, next)) ==
        std::vector<std::string>{"processor", "memory", "governor", "pinned CPUs",
                                 "seconds a trial", "load of slow/64x1", "command of fast/64x1"});
  CHECK(names(diff_of(next, base)).size() == 7);
  CHECK(to_text(diff_of(base, next)).find("processor: A processor → Another processor") !=
        std::string::npos);
}

TEST_CASE("the text of a diff fits its columns") {
  model::Run next = again(1.25);
  next.environment.cpu = std::string(150, 'x');
  next.cells[1].key = "a cell with a key that is longer than the column has room for";
  model::Run base = model::made_up_run();
  base.cells[1].key = next.cells[1].key;
  std::istringstream lines(to_text(diff_of(base, next)));
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    INFO(line);
    CHECK(model::display_width(line) <= report_columns);
  }
  CHECK(count > 20);
}
