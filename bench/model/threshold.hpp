// Limits for the figures of a run: "p99<5ms", "qps>10k", "errors<0.1%", "grpc/64x1:cpu_us<=20".
//
//   threshold = [ cell ":" ] metric ( "<" | "<=" | ">" | ">=" ) number [ unit ]
//   cell      = a cell's key, or its subject for all of its cells; without it, every cell
//   metric    = a key or column of metric.hpp
//   unit      = of core/number.hpp: that of a duration, which is not to be left out unless the
//               metric counts microseconds; of a rate for rates and counts; of a size; of a share.
//               A space may stand before it
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/model/metric.hpp"
#include "bench/model/summary.hpp"

namespace rps::model {

enum class Relation : std::uint8_t { less, less_or_equal, greater, greater_or_equal };

struct Threshold {
  std::string text;  // As it was written.
  std::string cell;  // A key or a subject; empty: every cell.
  Metric metric = Metric::qps;
  Relation relation = Relation::less;
  double limit = 0;  // In the unit of the metric's column.

  bool holds(double value) const;
};

// The error is a sentence for the person who typed it.
std::expected<Threshold, std::string> parse_threshold(std::string_view text);

// The outcome of a threshold in one cell.
struct ThresholdResult {
  Threshold threshold;
  std::string cell;   // Its key; empty when the threshold is of no cell of the run.
  Estimate estimate;  // `trials` is 0 when the cell has no such figure: then it has not passed.
  // The median decides. The interval is shown but not used: a limit is about the usual figure, and
  // a run with few trials, whose intervals are wide, should not fail for that reason.
  bool passed = false;
  std::string why;  // Why there is no such figure; else empty.

  // "grpc/64x1: p99 is 1.31 ms (1.20 ms – 1.42 ms), as asked: p99<5ms".
  std::string sentence() const;
};

// Each threshold in each cell that it is about, in their order. One without a cell passes over the
// cells that were measured and have no such figure, if any cell has it: "p99<5ms" says nothing of a
// function that was timed.
std::vector<ThresholdResult> check_thresholds(const Run& run,
                                              const std::vector<Threshold>& thresholds);

}  // namespace rps::model
