// From the trials of a comparison to its rows and ratios.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/statistics.hpp"
#include "bench/scenarios/compare.hpp"

namespace rps::load {

// One stage at one load, over all rounds. Only valid trials are in the estimates; an estimate over
// none says so in its `trials`.
struct Row {
  std::size_t stage = 0;  // Of CompareOptions::stages.
  std::size_t connections = 0;
  std::size_t trials = 0;
  std::size_t invalid = 0;
  std::string complaint;  // Of the first trial that was not valid.
  Estimate per_second;
  Estimate mean_ns;
  Estimate p50_ns;
  Estimate p99_ns;
  Estimate cpu_us;  // Of the server, per request.
  Estimate server_cpu_share;
  Estimate load_cpu_share;
  Estimate other_cpu_share;
  // Trials in which the observer was active; absent when the stage has none.
  std::optional<std::size_t> observer_active;
};

// How a stage does against the one before it, pair by pair within the rounds.
struct Ratio {
  std::size_t stage = 0;
  std::size_t previous = 0;
  std::size_t connections = 0;
  double claimed = 0;  // QPS against QPS, by the articles.
  Estimate per_second;
  Estimate cpu_us;
};

// Every stage at every load, in the order of the options, those without trials included.
std::vector<Row> rows_of(const CompareRun& run);

// Neighbours for which the articles claim both figures, and for which there are pairs.
std::vector<Ratio> ratios_of(const CompareRun& run);

// What a measured ratio makes of a claimed one, in words.
std::string verdict_on(double claimed, const Estimate& measured);

}  // namespace rps::load
