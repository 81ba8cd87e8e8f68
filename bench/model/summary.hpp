// Figures, comparisons and flags of a run's cells, computed from its trials.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/model/run.hpp"
#include "bench/model/statistics.hpp"

namespace rps::model {

// The figures of the trials that have one, in the order of the rounds.
std::vector<double> values_of(const Run& run, std::size_t cell, Metric metric);

// The figure over all rounds, of the trials that have it: the valid ones, but for the shares of
// errors and of dropped calls. `trials` is 0 when there are none.
Estimate estimate_of(const Run& run, std::size_t cell, Metric metric);

// `ours` against `theirs` in the rounds that have both.
Comparison compare_cells(const Run& run, std::size_t ours, std::size_t theirs, Metric metric);

// Reasons to read a cell's figures with care, or not to use them.
enum class Flag : std::uint8_t {
  invalid,         // A trial was not valid: it is not in the figures.
  client_limited,  // The load's CPU was full and the server's was not.
  rate_missed,     // Less than 99 % of what was due was sent within a millisecond.
  overloaded,      // Calls were dropped: too many were open.
  errors,          // More than 0.1 % of the calls.
  littles_law,     // Calls open, answers a second and latency do not fit each other by 5 %.
  disturbed,       // Other programs (a tenth of a CPU) or the hypervisor (1 %) took CPU time.
  not_stationary,  // Under a steady load, the first and last third of the window differ by 20 %.
  observer_off,    // The observer was not active in every trial.
  floor_differs,   // Its floor's bytes per call, out or in, differ from its own by more than 2 %.
};

inline constexpr std::array<Flag, 10> all_flags{
    Flag::invalid,      Flag::client_limited, Flag::rate_missed, Flag::overloaded,
    Flag::errors,       Flag::littles_law,    Flag::disturbed,   Flag::not_stationary,
    Flag::observer_off, Flag::floor_differs};

// A word for a table, and the sentence behind it.
std::string_view to_string(Flag flag);
std::string_view explain(Flag flag);

struct Flagged {
  Flag flag = Flag::invalid;
  std::string detail;  // Trials: "3 of 7: the server went away"; or the bytes.
};

// invalid, overloaded, errors and observer_off are reported when one trial shows them, the others
// when a quarter of the trials do, because one unusual trial among many does not change a median.
// floor_differs compares the medians of both cells.
std::vector<Flagged> flags_of(const Run& run, std::size_t cell);

}  // namespace rps::model
