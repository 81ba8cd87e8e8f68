// Compares two stored runs: which metrics became better or worse.
//
// Inside a run rounds are interleaved, so a disturbance of a round cancels out in a ratio. Two runs
// have no round in common, so they are compared as independent samples. The difference then
// includes changes of the machine between the runs; comparing the environments shows some of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/model/run.hpp"
#include "bench/model/statistics.hpp"

namespace rps::report {

enum class Change : std::uint8_t { indistinguishable, better, worse };

struct MetricDiff {
  model::Metric metric = model::Metric::qps;
  model::Estimate base;
  model::Estimate next;
  // next / base, as estimate_unpaired_ratio() says; without one `trials` is 0.
  model::Estimate ratio;
  double p = 1;  // Of mann_whitney_p().
  // Other than indistinguishable when p < comparison_alpha, which four trials against four cannot
  // reach, and the ratio's interval leaves 1 out.
  Change change = Change::indistinguishable;
};

struct CellDiff {
  std::string cell;                 // Its key.
  std::vector<MetricDiff> metrics;  // Of those below that both have.
  // A sentence, without its full stop, for each that one of both lacks: which, and why.
  std::vector<std::string> absent;
};

// Something in which the runs differ beside what they measured.
struct SettingDiff {
  std::string name;
  std::string base;
  std::string next;
};

struct Diff {
  std::string base_id;
  std::string next_id;
  std::vector<CellDiff> cells;  // In both, in the order of `next`.
  std::vector<std::string> only_base;
  std::vector<std::string> only_next;
  // Machine, build and plan; what differs in every two runs (date, load average …) left out.
  std::vector<SettingDiff> settings;
};

// Compares qps, p50, p99 and cpu_us of the cells with equal keys, and of functions their time.
// Cells with the same key but
// another load are settings that differ, and are compared all the same.
Diff diff_of(const model::Run& base, const model::Run& next);

// "grpc/64x1: p99 is 1.25 times what it was (1.18–1.33)": each metric that is worse by more than
// `share` (0.1: the ratio is above 1.1, or below 0.9 where more is better) while the ratio's
// interval leaves 1 out. Empty: nothing regressed.
std::vector<std::string> regressions(const Diff& diff, double share);

// Lines of at most 100 columns.
std::string to_text(const Diff& diff);

}  // namespace rps::report
