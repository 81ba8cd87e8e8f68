// The stored run: everything that was measured, on which machine, and how. All tables, charts,
// comparisons and verdicts are computed from a stored run, never while measuring, so that they can
// be computed again from an old file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "bench/machine/cpus.hpp"
#include "bench/machine/environment.hpp"
#include "bench/model/metric.hpp"
#include "bench/model/target.hpp"
#include "bench/model/trial.hpp"

namespace rps::model {

// Increased when a member of the file is removed or changes its meaning, or when one is added that
// a reader cannot do without. The reader ignores members that it does not know, and requires all
// others but some of a trial that came later: `unanswered`, `connections`, `outages`, `fault` and
// `why_no`, of which `recovery` and `rejoin`.
inline constexpr int run_schema_version = 4;

// One target at one load. Every figure belongs to a cell.
struct Cell {
  std::string key;        // "grpc/64x1", "grpc/poisson@20000": unique in a run.
  std::string subject;    // "grpc": of all its cells, whatever the load.
  std::string name;       // "gRPC": the subject as people read it, at most 24 characters.
  std::string command;    // What was started, or the URL: enough to do it again by hand.
  bool is_floor = false;  // Answers were not judged.
  std::string floor;      // The subject that is its floor; empty: none.
  // A call is answered before submit() returns, so none is ever open and Little's law does not
  // apply.
  bool answers_in_submit = false;
  std::size_t rounds_per_call = 1;
  Load load;

  bool operator==(const Cell&) const = default;
};

// "grpc/64x1", "grpc/8x16", "grpc/64x64 poisson 10s@2000": of a subject's key and a load.
std::string cell_key(std::string_view subject, const Load& load);

// A subject that a table names and that was not measured: this machine or this build cannot run
// it, or the command line did not choose it.
struct LeftOut {
  std::string subject;  // Its key.
  std::string why;      // "not built here", "--subjects does not name it", or its server's words.

  bool operator==(const LeftOut&) const = default;
};

struct CellTrial {
  std::size_t cell = 0;   // Of Run::cells.
  std::size_t round = 0;  // Trials of one round were interleaved; ratios are taken inside it.
  std::size_t order = 0;  // Its place among all trials of the run.
  Trial trial;

  bool operator==(const CellTrial&) const = default;
};

// How it was measured.
struct Plan {
  std::string profile;  // Of `compare`; empty otherwise.
  std::vector<std::string> command_line;
  std::size_t rounds = 0;
  double seconds = 0;  // The window of a trial; a schedule has its own.
  double warmup = 0;
  std::uint64_t seed = 0;
  std::optional<machine::CpuPlan> cpus;

  bool operator==(const Plan&) const = default;
};

struct Run {
  std::string id;     // Date and seed; names files.
  std::string title;  // "Four architectures, one game"
  machine::Environment environment;
  Plan plan;
  std::vector<std::string> tables;  // Keys of the tables to show; without any, one of all cells.
  std::vector<Cell> cells;
  std::vector<CellTrial> trials;
  std::vector<LeftOut> left_out;  // Each subject once.
  bool interrupted = false;

  // Whether there are trials and every one is valid.
  bool all_valid() const;

  // Null, or nothing, when no cell has this key.
  const Cell* find(std::string_view key) const;
  std::optional<std::size_t> index_of(std::string_view key) const;

  bool operator==(const Run&) const = default;
};

// The trials of a cell, in their order. REQUIRES: `run` outlives what is returned.
inline auto trials_of(const Run& run, std::size_t cell) {
  return run.trials |
         std::views::filter([cell](const CellTrial& each) { return each.cell == cell; });
}

// The first cell with the load of `cell`: what others under this load are compared with.
std::size_t first_at_load(const Run& run, std::size_t cell);

// The cell of the floor of `cell` at the same load; nothing when there is none.
std::optional<std::size_t> floor_of(const Run& run, std::size_t cell);

// ---- Figures -------------------------------------------------------------------------------

// The metric of one trial. Nothing when the trial is not valid, has too few answers for that
// percentile, or did not count it. The shares of errors and of dropped calls are also computed of
// an invalid trial, if anything was answered, because they say why it is invalid.
std::optional<double> figure(const Trial& trial, const Cell& cell, Metric metric);

// Whether a cell like this can have it: functions and loads have different metrics, and closed
// loops have no calls that are due.
bool can_have(const Cell& cell, Metric metric);

// ---- Why there is none. Each is a part of a sentence, without a full stop ------------------

// Why a subject has no cell, or its cells no trials.
std::string why_not_measured(const Run& run, std::string_view subject);

// Why a cell has no valid trial: that, or "INVALID: " and what went wrong in the last. Empty when
// it has one.
std::string why_no_trial(const Run& run, std::size_t cell);

// Why a trial does not have the figure; empty when it has.
std::string why_absent(const Trial& trial, const Cell& cell, Metric metric);

// The same of a cell: why no trial has it, which is the reason of its first valid one.
std::string why_absent(const Run& run, std::size_t cell, Metric metric);

// ---- The file ------------------------------------------------------------------------------

// JSON: schema_version, id, title, environment{}, plan{}, tables[], cells[], trials[],
// left_out[], summary[], comparisons[], interrupted. A figure that there is not is null; durations
// end in their unit; `service` is the word "response" when both are the same, as they are in closed
// loops. Cells, trials and the like stand on a line each.
//
// A histogram is {count, mean_ns, min_ns, max_ns, counts} or, when nothing was recorded, null.
// `counts` lists the counts of consecutive buckets from index 0 on (load/histogram.hpp says which
// durations share an index); a negative number stands for so many empty buckets. [-7,2,-2,1] is two
// values in bucket 7 and one in bucket 10.
//
// `summary`, `comparisons` (each cell against the first with the same load) and the trials'
// `figures` and `complaint` repeat what can be computed from the rest, for readers of the file.
// `absent` of a summary says of each metric that is null why it is.
// REQUIRES: different keys of the cells, and finite figures.
std::string to_json(const Run& run);

// The inverse, but for what is repeated. The error is a sentence that names the member: no JSON,
// another schema, a member that is missing or of the wrong type, a histogram that is damaged, a
// trial of no cell.
std::expected<Run, std::string> parse_run(std::string_view json);

}  // namespace rps::model
