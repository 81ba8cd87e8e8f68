// A run as JUnit test results, which build servers can show.
#pragma once

#include <string>
#include <vector>

#include "bench/model/run.hpp"
#include "bench/model/threshold.hpp"

namespace rps::report {

// JUnit XML: a suite of one test case a cell, which fails when a trial of it is not valid and is
// skipped when there is none, and one a checked threshold. UTF-8; what XML cannot hold is '?'.
std::string to_junit(const model::Run& run, const std::vector<model::ThresholdResult>& thresholds);

}  // namespace rps::report
