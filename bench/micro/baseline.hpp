// Stored times of benchmarks, and the comparison of new times with them: which function has become
// slower or faster, with a p value.
//
// The file is JSON:
//   schema_version   1
//   environment      date, kernel, cpu, compiler, build, revision, cores and details{name: text}
//   times            name of the benchmark: [nanoseconds of one iteration, for each repetition]
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

// Two medians whose difference is smaller than this share count as equal: another layout of the
// code by the linker can cause as much.
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

// A benchmark is faster or slower when p < alpha and both its median and its best time differ by
// more than change_min. The best time counts because a disturbance only makes times longer. A
// benchmark without times counts as one that did not run. REQUIRES: 0 < alpha < 1.
MicroComparison compare_micro(const MicroTimes& before, const MicroTimes& now, double alpha);

// The fewest repetitions of both runs with which p < alpha can be, which is when all times of one
// lie below all of the other. REQUIRES: 0 < alpha < 1.
std::size_t repetitions_for(double alpha);

// A table for a terminal, with both environments where they differ.
std::string render(const MicroComparison& comparison, const machine::Environment& before,
                   const machine::Environment& now);

}  // namespace rps::micro
