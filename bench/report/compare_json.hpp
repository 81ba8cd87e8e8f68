// The comparison as JSON: every trial, so that other tables can be made without measuring again.
#pragma once

#include <string>
#include <vector>

#include "bench/load/environment.hpp"
#include "bench/scenarios/compare.hpp"

namespace rps::load {

// Grows when a member changes its meaning or goes; new members do not count.
inline constexpr int compare_schema_version = 1;

// Members: schema_version, environment, args, trials[], summary[], comparisons[]. Durations are in
// the unit that ends their name; a figure that there is not is null.
std::string compare_json(const CompareRun& run, const Environment& environment,
                         const std::vector<std::string>& command_line);

}  // namespace rps::load
