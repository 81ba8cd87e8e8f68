#include "bench/report/compare_text.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "bench/report/compare_summary.hpp"
#include "bench/report/format.hpp"
#include "bench/report/table.hpp"

namespace rps::load {

namespace {

const std::string none = "-";

// The share of the load's CPU from which on the load may have been the bottleneck.
constexpr double saturated_share = 0.95;

// The share of a CPU that others may take before the figures are called disturbed.
constexpr double disturbed_share = 0.10;

std::string or_none(std::string_view text) {
  return text.empty() ? none : std::string(text);
}

std::string latency_cell(const Estimate& estimate) {
  return estimate.trials == 0 ? none : format_nanoseconds(estimate.median);
}

std::string rate_cell(const Estimate& estimate) {
  return estimate.trials == 0 ? none : format_rate(estimate.median);
}

std::string cpu_cell(const Estimate& estimate) {
  return estimate.trials == 0 ? none : format_number(estimate.median);
}

std::string percent(const Estimate& share) {
  return share.trials == 0 ? none : std::to_string(std::lround(share.median * 100));
}

// The value, and the range in which it lies on the line below.
std::string two_lines(const std::string& value, const std::string& range) {
  return value == none ? none : value + "\n" + range;
}

std::string paragraph(std::string_view text) {
  std::string out;
  for (const std::string& line : wrap(text, report_columns)) out += line + "\n";
  return out;
}

std::string item(std::string_view text) {
  std::string out;
  for (const std::string& line : wrap(text, report_columns - 2)) {
    out += (out.empty() ? "- " : "  ") + line + "\n";
  }
  return out;
}

bool is_observer_off(const Row& row) {
  return row.observer_active && *row.observer_active < row.trials;
}

// Why a row has no figures, or fewer than it should; empty when there is nothing to say.
std::string remark_on(const CompareRun& run, const Row& row) {
  if (!run.is_built[row.stage]) return "not built";
  if (row.trials == 0) return "not measured";
  if (row.invalid > 0) {
    return "INVALID: " + std::to_string(row.invalid) + " of " + std::to_string(row.trials) +
           " trials: " + row.complaint;
  }
  return "";
}

// ---- The tables ----------------------------------------------------------------------------

// A table of the rows: what `cells` makes of each that has figures, and what is to be said of it.
template <class MakeCells>
std::string render(Table table, const CompareRun& run, const std::vector<Row>& rows,
                   MakeCells cells) {
  for (const Row& row : rows) {
    const Stage& stage = run.options.stages[row.stage];
    const bool has_figures = row.per_second.trials > 0;
    if (has_figures) table.add_row(cells(stage, row));
    const std::string remark = remark_on(run, row);
    if (!remark.empty()) table.add_remark(has_figures ? "" : stage.name, remark);
  }
  return table.render();
}

using Cells = std::vector<std::string>;

// The articles' table: what they claim beside what was measured here.
std::string article_table(const CompareRun& run, const std::vector<Row>& rows) {
  Table table{{{.heading = "stage", .width = 11},
               {.heading = "latency claim", .width = 7, .is_number = true},
               {.heading = "mean latency here", .width = 12, .is_number = true},
               {.heading = "p50", .width = 7, .is_number = true},
               {.heading = "p99", .width = 7, .is_number = true},
               {.heading = "QPS claim", .width = 5, .is_number = true},
               {.heading = "QPS here", .width = 10, .is_number = true},
               {.heading = "CPU µs/req", .width = 6, .is_number = true},
               {.heading = "observability", .width = 14},
               {.heading = "deployment", .width = 12}}};
  return render(std::move(table), run, rows, [](const Stage& stage, const Row& row) {
    return Cells{std::string(stage.name),
                 or_none(stage.claim.latency),
                 two_lines(latency_cell(row.mean_ns), format_nanoseconds_range(row.mean_ns)),
                 latency_cell(row.p50_ns),
                 latency_cell(row.p99_ns),
                 or_none(stage.claim.qps),
                 two_lines(rate_cell(row.per_second), format_rate_range(row.per_second)),
                 cpu_cell(row.cpu_us),
                 is_observer_off(row) ? "observer off" : std::string(stage.claim.observability),
                 std::string(stage.claim.deployment)};
  });
}

// All of it measured, with the range of each figure.
std::string measured_table(const CompareRun& run, const std::vector<Row>& rows) {
  Table table{{{.heading = "stage", .width = 11},
               {.heading = "mean latency", .width = 13, .is_number = true},
               {.heading = "p50", .width = 13, .is_number = true},
               {.heading = "p99", .width = 13, .is_number = true},
               {.heading = "QPS", .width = 12, .is_number = true},
               {.heading = "CPU µs/req", .width = 11, .is_number = true},
               {.heading = "CPU % of server / load", .width = 13, .is_number = true}}};
  const auto latency = [](const Estimate& estimate) {
    return two_lines(latency_cell(estimate), format_nanoseconds_range(estimate));
  };
  return render(std::move(table), run, rows, [latency](const Stage& stage, const Row& row) {
    return Cells{std::string(stage.name),
                 latency(row.mean_ns),
                 latency(row.p50_ns),
                 latency(row.p99_ns),
                 two_lines(rate_cell(row.per_second), format_rate_range(row.per_second)),
                 two_lines(cpu_cell(row.cpu_us), format_number_range(row.cpu_us)),
                 percent(row.server_cpu_share) + " / " + percent(row.load_cpu_share)};
  });
}

std::string heading_of(std::size_t connections) {
  return "## " + std::to_string(connections) + (connections == 1 ? " connection" : " connections") +
         ", one call open on each\n\n";
}

// The articles' load comes first, in their form; all others follow with their ranges.
std::string tables(const CompareRun& run, const std::vector<Row>& rows) {
  const std::size_t main = std::ranges::max(run.options.connections);
  std::vector<std::size_t> loads{main};
  std::ranges::copy_if(run.options.connections, std::back_inserter(loads),
                       [main](std::size_t load) { return load != main; });
  std::string out;
  for (const std::size_t load : loads) {
    std::vector<Row> of_load;
    std::ranges::copy_if(rows, std::back_inserter(of_load),
                         [&](const Row& row) { return row.connections == load; });
    const std::string table =
        load == main ? article_table(run, of_load) : measured_table(run, of_load);
    out += heading_of(load) + "```\n" + table + "```\n\n";
  }
  return out;
}

// ---- The words -----------------------------------------------------------------------------

std::string seconds(double value) {
  return format_number(value) + " s";
}

// Whether somebody else was at work on the same CPUs.
std::string disturbance(const std::vector<Row>& rows) {
  double most = 0;
  for (const Row& row : rows) most = std::max(most, row.other_cpu_share.median);
  if (most < disturbed_share) return "";
  return paragraph("DISTURBED: other processes, interrupts or virtual machines took up to " +
                   std::to_string(std::lround(most * 100)) +
                   " % of a CPU from these measurements. Measure again on a quiet machine.");
}

std::string preamble(const CompareRun& run, const std::vector<Row>& rows,
                     const Environment& environment) {
  const CompareOptions& options = run.options;
  std::string out = "# Four architectures, one game\n\n";
  out += paragraph("Interleaved rounds: " + std::to_string(options.rounds) +
                   ". Every trial has a fresh server: " + seconds(options.warmup) + " warm-up, " +
                   seconds(options.seconds) + " measured. Every answer is checked.");
  std::string machine = environment.cpu + ", " + std::to_string(environment.cores) + " cores, " +
                        environment.kernel + ", " + environment.compiler + ", " + environment.build;
  if (!environment.revision.empty()) machine += ", revision " + environment.revision;
  out += paragraph(machine + ", " + environment.date + ".");
  if (!options.cpus) {
    out += paragraph("Nothing is pinned: server and load share all CPUs.");
  } else if (options.cpus->shared()) {
    out += paragraph("Server and load share CPU " + std::to_string(options.cpus->load) +
                     ": QPS and latency hold the cost of both.");
  } else {
    out += paragraph("Server on CPU " + std::to_string(options.cpus->server) + ", load on CPU " +
                     std::to_string(options.cpus->load) + ".");
  }
  if (const std::string warning = build_warning(); !warning.empty()) {
    out += paragraph("WARNING: " + warning + ".");
  }
  out += disturbance(rows);
  if (run.interrupted) out += paragraph("INTERRUPTED: this is what was measured until then.");
  return out + "\n";
}

std::string ratio_item(const CompareRun& run, const Ratio& ratio) {
  const Estimate& qps = ratio.per_second;
  std::string text = std::string(run.options.stages[ratio.stage].name) + " answers " +
                     format_number(qps.median) + " times (" + format_number_range(qps) + ") what " +
                     std::string(run.options.stages[ratio.previous].name) + " answers; claimed " +
                     format_number(ratio.claimed) + " times: " + verdict_on(ratio.claimed, qps) +
                     ".";
  if (ratio.cpu_us.trials > 0) {
    text += " Server CPU per request: " + format_number(ratio.cpu_us.median) + " times (" +
            format_number_range(ratio.cpu_us) + ").";
  }
  return item(text);
}

std::string ratios(const CompareRun& run, std::size_t connections) {
  std::string out;
  for (const Ratio& ratio : ratios_of(run)) {
    if (ratio.connections == connections) out += ratio_item(run, ratio);
  }
  if (out.empty()) return out;
  return "## Each stage against the one before, " + std::to_string(connections) +
         " connections\n\n" + out + "\n";
}

// Who was busy, since on two CPUs either side may be the bottleneck.
std::string busy(const CompareRun& run, const std::vector<Row>& rows, std::size_t connections) {
  std::string list;
  for (const Row& row : rows) {
    if (row.connections != connections || row.server_cpu_share.trials == 0) continue;
    if (run.options.stages[row.stage].binary.empty()) continue;
    if (!list.empty()) list += ", ";
    list += std::string(run.options.stages[row.stage].name) + " " + percent(row.server_cpu_share) +
            "/" + percent(row.load_cpu_share) + " %";
    if (row.load_cpu_share.median >= saturated_share &&
        row.server_cpu_share.median < saturated_share) {
      list += " (the load is the limit)";
    }
  }
  if (list.empty()) return "";
  return item("CPU busy at " + std::to_string(connections) + " connections, server/load: " + list +
              ".");
}

std::string observer(const std::vector<Row>& rows) {
  std::size_t trials = 0;
  std::size_t active = 0;
  for (const Row& row : rows) {
    if (!row.observer_active) continue;
    trials += row.trials;
    active += *row.observer_active;
  }
  if (trials == 0) return "";
  if (active == trials) return item("The kernel observer was active in all trials of gRPC + eBPF.");
  return item("The kernel observer was OFF in " + std::to_string(trials - active) + " of " +
              std::to_string(trials) +
              " trials of gRPC + eBPF: those measure plain gRPC. It needs root (or CAP_BPF and "
              "CAP_PERFMON) and a kernel with BTF; the stage's log says what was missing.");
}

std::string legend(const CompareRun& run, const std::vector<Row>& rows) {
  const std::size_t main = std::ranges::max(run.options.connections);
  const bool has_intervals = run.options.rounds >= trials_for_interval;
  std::string out = "## How to read it\n\n";
  out += item(
      "claim, observability and deployment: the articles' words. They had 16 cores and, as latency "
      "times QPS tells, 70 to 90 calls in flight. Here the server has one core and the load "
      "another: compare ratios and CPU per request, not QPS.");
  out += item("Figures are medians over the rounds; the range with them is " +
              std::string(has_intervals ? "their 95 % bootstrap interval."
                                        : "from the lowest to the highest: too few rounds for "
                                          "an interval."));
  out += item(
      "CPU µs/req is user and system time of the server's processes: it hardly depends on "
      "which side was the bottleneck.");
  out += item(
      "monolith: one rps-cli process a connection, a line in and a line out over pipes. "
      "no wire: the game called inside the harness, the floor under all others.");
  return out + busy(run, rows, main) + observer(rows);
}

}  // namespace

std::string compare_text(const CompareRun& run, const Environment& environment) {
  const std::vector<Row> rows = rows_of(run);
  return preamble(run, rows, environment) + tables(run, rows) +
         ratios(run, std::ranges::max(run.options.connections)) + legend(run, rows);
}

}  // namespace rps::load
