// Offers a moderate rate for a long time: shows leaks of memory and files, and growing latency.
#pragma once

#include <string>

#include "bench/scenarios/runner.hpp"
#include "bench/scenarios/targets.hpp"

namespace rps::scenarios {

struct SoakResult {
  double rate = 0;
  double rss_first_bytes = 0, rss_last_bytes = 0;  // Medians of the first and last third.
  double rss_slope_per_hour = 0;  // Least squares over the last two thirds, as a share of the mean.
  double files_first = 0, files_last = 0;
  double p99_first_ns = 0, p99_last_ns = 0;
  std::uint64_t failed = 0;
  std::string why_no_memory;  // Why the memory and the files are absent; else empty.
  std::string why_no_p99;     // The same of both p99.
};

// At `share` of what a closed loop got, for so many seconds. Both trials become cells of the run.
// Throws std::runtime_error when the closed loop fails.
SoakResult run_soak(Measurement& measurement, const NamedTarget& target, model::Load load,
                    double share, double seconds);

// From a series.
SoakResult judge_soak(const model::Trial& trial, double rate);

std::string to_text(const SoakResult& result);

}  // namespace rps::scenarios
