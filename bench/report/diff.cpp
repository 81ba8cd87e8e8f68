#include "bench/report/diff.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "bench/model/format.hpp"
#include "bench/model/summary.hpp"
#include "bench/report/table.hpp"
#include "core/random.hpp"

namespace rps::report {

namespace {

constexpr std::array diffed{model::Metric::qps, model::Metric::p50, model::Metric::p99,
                            model::Metric::cpu_us, model::Metric::micro_ns};

// Details of an environment that are another in every run.
constexpr std::array<std::string_view, 2> restless{"clock read", "load average"};

using Settings = std::vector<std::pair<std::string, std::string>>;

bool is_better(model::Metric metric, double ratio) {
  return (ratio > 1) == (model::info(metric).better == model::Better::higher);
}

MetricDiff diff_metric(const model::Run& base, std::size_t base_cell, const model::Run& next,
                       std::size_t next_cell, model::Metric metric) {
  const auto theirs = model::values_of(base, base_cell, metric);
  const auto ours = model::values_of(next, next_cell, metric);
  MetricDiff diff{
      .metric = metric,
      .base = model::estimate_of(base, base_cell, metric),
      .next = model::estimate_of(next, next_cell, metric),
      .ratio = model::estimate_unpaired_ratio(ours, theirs, mix(next.plan.seed, next_cell)),
      .p = model::mann_whitney_p(ours, theirs)};
  const bool differs =
      diff.ratio.trials > 0 && diff.p < model::comparison_alpha && !diff.ratio.contains(1);
  if (differs) {
    diff.change = is_better(metric, diff.ratio.median) ? Change::better : Change::worse;
  }
  return diff;
}

void add_absence(const std::string& why, model::Metric metric, std::string_view run,
                 CellDiff& diff) {
  if (why.empty()) return;
  diff.absent.push_back(diff.cell + ": " + std::string(model::info(metric).key) +
                        " is absent in the " + std::string(run) + " run: " + why);
}

CellDiff diff_cell(const model::Run& base, std::size_t base_cell, const model::Run& next,
                   std::size_t next_cell) {
  CellDiff diff{.cell = next.cells[next_cell].key};
  for (const model::Metric metric : diffed) {
    if (!model::can_have(next.cells[next_cell], metric)) continue;
    MetricDiff each = diff_metric(base, base_cell, next, next_cell, metric);
    if (each.base.trials > 0 && each.next.trials > 0) diff.metrics.push_back(each);
    add_absence(model::why_absent(base, base_cell, metric), metric, "base", diff);
    add_absence(model::why_absent(next, next_cell, metric), metric, "new", diff);
  }
  return diff;
}

std::string cpus_text(const std::optional<machine::CpuPlan>& cpus) {
  if (!cpus) return "not pinned";
  return "server " + std::to_string(cpus->server) + ", load " + std::to_string(cpus->load);
}

Settings settings_of(const model::Run& run) {
  const machine::Environment& environment = run.environment;
  Settings settings{{"processor", environment.cpu}, {"cores", std::to_string(environment.cores)},
                    {"kernel", environment.kernel}, {"compiler", environment.compiler},
                    {"build", environment.build},   {"revision", environment.revision}};
  for (const auto& [name, value] : environment.details) {
    const bool is_restless = std::ranges::find(restless, name) != restless.end();
    if (!is_restless) settings.emplace_back(name, value);
  }
  settings.emplace_back("pinned CPUs", cpus_text(run.plan.cpus));
  settings.emplace_back("seconds a trial", model::format_number(run.plan.seconds));
  settings.emplace_back("seconds of warm-up", model::format_number(run.plan.warmup));
  return settings;
}

// What one of both has and the other has not, or otherwise.
std::vector<SettingDiff> diff_settings(const Settings& base, const Settings& next) {
  const std::map<std::string, std::string> theirs(base.begin(), base.end());
  std::set<std::string> told;
  std::vector<SettingDiff> diffs;
  for (const auto& [name, value] : next) {
    told.insert(name);
    const auto found = theirs.find(name);
    const std::string old = found == theirs.end() ? "" : found->second;
    if (old != value) diffs.push_back({.name = name, .base = old, .next = value});
  }
  for (const auto& [name, value] : base) {
    if (!told.contains(name)) diffs.push_back({.name = name, .base = value, .next = ""});
  }
  return diffs;
}

void add_load_diff(const model::Cell& base, const model::Cell& next, Diff& diff) {
  if (base.command != next.command) {
    diff.settings.push_back(
        {.name = "command of " + next.key, .base = base.command, .next = next.command});
  }
  if (base.load != next.load || base.rounds_per_call != next.rounds_per_call) {
    diff.settings.push_back({.name = "load of " + next.key, .base = "one", .next = "another"});
  }
}

// ---- Text

std::string with_range(model::Metric metric, const model::Estimate& estimate) {
  return model::format_metric(metric, estimate.median) + "\n" +
         model::format_metric(metric, estimate.low) + "–" +
         model::format_metric(metric, estimate.high);
}

std::string ratio_text(const model::Estimate& ratio) {
  if (ratio.trials == 0) return "base is 0";
  return model::format_number(ratio.median) + "\n" + model::format_number_range(ratio);
}

std::string p_text(double p) {
  return p < 0.01 ? "<0.01" : model::format_number(p);
}

std::string_view word_for(Change change) {
  switch (change) {
    case Change::indistinguishable: return "not different";
    case Change::better: return "better";
    case Change::worse: return "worse";
  }
  return "not different";
}

Table table_of(const Diff& diff) {
  Table table{.columns = {{.heading = "Cell", .width = 24},
                          {.heading = "Figure", .width = 6},
                          {.heading = "Base\n95 % interval", .width = 17, .is_number = true},
                          {.heading = "New\n95 % interval", .width = 17, .is_number = true},
                          {.heading = "New / base", .width = 11, .is_number = true},
                          {.heading = "p", .width = 5, .is_number = true},
                          {.heading = "It is", .width = 13}}};
  for (const CellDiff& cell : diff.cells) {
    if (cell.metrics.empty()) {
      table.rows.push_back({.cells = {cell.cell}, .remark = "no figure is in both runs"});
    }
    for (const MetricDiff& each : cell.metrics) {
      table.rows.push_back(
          {.cells = {&each == cell.metrics.data() ? cell.cell : "",
                     std::string(model::info(each.metric).key), with_range(each.metric, each.base),
                     with_range(each.metric, each.next), ratio_text(each.ratio), p_text(each.p),
                     std::string(word_for(each.change))}});
    }
  }
  return table;
}

std::string or_nothing(const std::string& text) {
  return text.empty() ? "nothing" : text;
}

std::string settings_text(const std::vector<SettingDiff>& settings) {
  if (settings.empty()) return paragraph("\nMachine, build and plan are the same in both.");
  std::string out = paragraph("\nThe runs differ in more than their figures:");
  for (const SettingDiff& each : settings) {
    out +=
        paragraph("  " + each.name + ": " + or_nothing(each.base) + " → " + or_nothing(each.next));
  }
  return out;
}

std::string absent_text(const std::vector<CellDiff>& cells) {
  std::string out;
  for (const CellDiff& cell : cells) {
    for (const std::string& sentence : cell.absent) out += paragraph(sentence + ".");
  }
  return out.empty() ? out : "\n" + out;
}

std::string missing_text(const std::vector<std::string>& cells, std::string_view where) {
  if (cells.empty()) return {};
  std::string text = "Only in the " + std::string(where) + " run: ";
  for (const std::string& cell : cells) text += (&cell == cells.data() ? "" : ", ") + cell;
  return paragraph(text + ".");
}

}  // namespace

Diff diff_of(const model::Run& base, const model::Run& next) {
  Diff diff{.base_id = base.id,
            .next_id = next.id,
            .settings = diff_settings(settings_of(base), settings_of(next))};
  for (std::size_t cell = 0; cell < next.cells.size(); ++cell) {
    const std::string& key = next.cells[cell].key;
    const auto old = base.index_of(key);
    if (!old) {
      diff.only_next.push_back(key);
      continue;
    }
    add_load_diff(base.cells[*old], next.cells[cell], diff);
    diff.cells.push_back(diff_cell(base, *old, next, cell));
  }
  for (const model::Cell& cell : base.cells) {
    if (!next.index_of(cell.key)) diff.only_base.push_back(cell.key);
  }
  return diff;
}

std::vector<std::string> regressions(const Diff& diff, double share) {
  std::vector<std::string> found;
  for (const CellDiff& cell : diff.cells) {
    for (const MetricDiff& each : cell.metrics) {
      const model::Estimate& ratio = each.ratio;
      const bool differs = ratio.trials > 0 && !ratio.contains(1);
      if (!differs || is_better(each.metric, ratio.median)) continue;
      const bool is_more = ratio.median > 1 + share || ratio.median < 1 - share;
      if (!is_more) continue;
      found.push_back(cell.cell + ": " + std::string(model::info(each.metric).key) + " is " +
                      model::format_number(ratio.median) + " times what it was (" +
                      model::format_number_range(ratio) + ")");
    }
  }
  return found;
}

std::string to_text(const Diff& diff) {
  return paragraph("New run " + diff.next_id + " against base " + diff.base_id + ".\n") +
         table_of(diff).render() + absent_text(diff.cells) +
         paragraph(
             "\nDifferent only when p < 0.0175 (Mann-Whitney) and the ratio's interval leaves "
             "1 out. The runs were not interleaved: what the machine did meanwhile is in the "
             "difference.") +
         settings_text(diff.settings) + missing_text(diff.only_base, "base") +
         missing_text(diff.only_next, "new");
}

}  // namespace rps::report
