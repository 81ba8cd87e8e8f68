// The greatest rate that a target keeps up with: an open loop at rates that close in on it.
//
// A closed loop of the same connections says where to look. Then rates are tried by bisection; each
// is measured `rounds` times, and holds when the medians meet the objectives and the harness sent
// what was due, in time and without dropping. Method: Nighthawk's adaptive load controller.
#pragma once

#include <string>
#include <vector>

#include "bench/model/threshold.hpp"
#include "bench/scenarios/runner.hpp"
#include "bench/scenarios/targets.hpp"

namespace rps::scenarios {

struct SearchOptions {
  NamedTarget target;
  model::Load load;  // Of the closed loop, and without its rate of the open loops.
  load::Arrivals arrivals = load::Arrivals::poisson;
  std::vector<model::Threshold> objectives;  // On the response times and errors of a rate.
  std::size_t rounds = 3;                    // Of each rate.
  double precision = 0.03;  // The rate that holds and the one that does not, at the end.
};

struct SearchStep {
  double rate = 0;
  bool holds = false;
  std::string why;  // Not; empty when it holds.
};

struct SearchResult {
  double closed_loop = 0;  // What a closed loop got out of it, whatever the latency.
  double best = 0;         // The greatest rate that held; 0: none did.
  std::vector<SearchStep> steps;
};

// Every rate tried becomes a cell of the run, whose plan says how long each is measured.
SearchResult run_search(Measurement& measurement, const SearchOptions& options);

std::string to_text(const SearchOptions& options, const SearchResult& result);

}  // namespace rps::scenarios
