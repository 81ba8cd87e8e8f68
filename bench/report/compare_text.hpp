// The comparison as text: for a terminal, and as compare.md.
#pragma once

#include <string>

#include "bench/load/environment.hpp"
#include "bench/scenarios/compare.hpp"

namespace rps::load {

// What was measured and where, one table for each load, the ratios and how to read it all.
// Markdown that is readable as it is; no line is longer than report_columns.
std::string compare_text(const CompareRun& run, const Environment& environment);

}  // namespace rps::load
