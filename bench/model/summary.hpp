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

// Whether the bytes of a call are known to 2 %: the calls that are open when the window opens and
// closes are in one account and not in the other.
bool tells_bytes(const Trial& trial, const Cell& cell);

// Reasons to read a cell's figures with care, or not to use them; all_flags explains each.
enum class Flag : std::uint8_t {
  invalid,
  client_limited,
  rate_missed,
  overloaded,
  errors,
  littles_law,
  disturbed,
  not_stationary,
  observer_off,
  reconnects,
  outage,
  floor_differs,
};

struct FlagInfo {
  Flag flag = Flag::invalid;
  std::string_view word;  // For a table.
  std::string_view explanation;
  // Whether one trial that shows it is enough; else a quarter of the trials must, because one
  // unusual trial among many does not change a median.
  bool is_grave = false;
};

// In the order of the enumeration.
inline constexpr std::array<FlagInfo, 12> all_flags{{
    {Flag::invalid, "invalid",
     "A trial was not valid, because of a wrong answer, a lost call or a server that went away: it "
     "is not in the figures.",
     true},
    {Flag::client_limited, "client-limited",
     "The load could not do more, or not in time: its CPU was full and the server's was not, or 1 "
     "% "
     "of the calls were sent later than a tenth of the median response time."},
    {Flag::rate_missed, "rate missed",
     "Less than 99 % of the calls that were due were sent within a millisecond."},
    {Flag::overloaded, "overloaded", "Calls were dropped, because as many as may be were open.",
     true},
    {Flag::errors, "errors", "More than 0.1 % of the calls had no right answer.", true},
    {Flag::littles_law, "Little's law",
     "The calls open, the answers a second and the time that each took do not fit each other by "
     "5 %: one of them is not what it seems."},
    {Flag::disturbed, "disturbed",
     "Others took more than 10 % of a CPU that was ours, or the hypervisor more than 1 %."},
    {Flag::not_stationary, "not steady",
     "The answers a second of the first and of the last third of the window differ by more than "
     "20 %."},
    {Flag::observer_off, "observer off", "The observer was not active in every trial.", true},
    {Flag::reconnects, "reconnects",
     "Connections ended while calls were made and were opened again. The time that this took is "
     "part of the calls' times.",
     true},
    {Flag::outage, "outage",
     "For a time nobody answered. The calls of that time count as errors, and their times are not "
     "among the response times.",
     true},
    {Flag::floor_differs, "floor differs",
     "A call sends or receives more than 2 % more or fewer bytes than a call to its floor, so the "
     "floor is another's."},
}};

constexpr const FlagInfo& info(Flag flag) {
  return all_flags[static_cast<std::size_t>(flag)];
}

struct Flagged {
  Flag flag = Flag::invalid;
  // Trials: "3 of 7: the server went away"; of reconnects and outages also how many; or the bytes.
  std::string detail;
};

// Those that enough trials show; and floor_differs when the medians of both cells do, over the
// trials that tell the bytes.
std::vector<Flagged> flags_of(const Run& run, std::size_t cell);

}  // namespace rps::model
