// Times that were stored, and what has changed since: which function has become slower, said with
// the chance that it only looks so.
//
// The file is JSON:
//   schema_version   1
//   environment      date, kernel, cpu, compiler, build, revision, cores and details{name: text}
//   times            name of the benchmark: [nanoseconds for one iteration, one for each
//   repetition]
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bench/machine/environment.hpp"

namespace rps::micro {

// Nanoseconds of one iteration, in the order of the repetitions, by the benchmark's name.
using MicroTimes = std::map<std::string, std::vector<double>>;

struct Baseline {
  machine::Environment environment;
  MicroTimes times;

  bool operator==(const Baseline&) const = default;
};

std::string to_json(const Baseline& baseline);

// The error is a sentence that says what is wrong with the text.
std::expected<Baseline, std::string> parse_baseline(std::string_view text);

enum class Change : std::uint8_t { indistinguishable, faster, slower };

std::string_view to_string(Change change);

// Two medians less than this apart are the same for all that we do with them: what the linker moves
// from one build to the next costs as much.
inline constexpr double change_min = 0.03;

// A benchmark that ran both times.
struct MicroChange {
  std::string name;
  double before_ns = 0;  // Medians.
  double now_ns = 0;
  double ratio = 0;  // Of now to before.
  double p = 1;      // Two-sided Mann-Whitney U.
  Change change = Change::indistinguishable;
};

struct MicroComparison {
  std::vector<MicroChange> changes;  // By name.
  std::vector<std::string> only_before;
  std::vector<std::string> only_now;
  std::size_t repetitions = 0;  // The fewest on either side of a change.

  bool has_slower() const;
};

// Faster or slower is what differs with p < alpha and by more than change_min, in its median and in
// its best time: whatever else ran on the machine during one of the runs made times longer and none
// shorter. A benchmark without times is taken as one that did not run. REQUIRES: 0 < alpha < 1.
MicroComparison compare_micro(const MicroTimes& before, const MicroTimes& now, double alpha);

// The fewest repetitions of both runs with which p < alpha can be, which is when all times of one
// lie below all of the other. REQUIRES: 0 < alpha < 1.
std::size_t repetitions_for(double alpha);

// A table for a terminal, with both environments where they differ.
std::string render(const MicroComparison& comparison, const machine::Environment& before,
                   const machine::Environment& now);

}  // namespace rps::micro
