#include "bench/model/summary.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "bench/model/format.hpp"
#include "core/random.hpp"

namespace rps::model {

namespace {

constexpr double cpu_full = 0.95;
constexpr double lateness_share_max = 0.1;  // Of the median response time.
constexpr double in_time_ns = 1e6;          // A call sent later than this was not sent when due.
constexpr double in_time_share_min = 0.99;
constexpr double error_share_max = 0.001;
constexpr double littles_law_share_max = 0.05;
constexpr double other_cpu_share_max = 0.1;
constexpr double stolen_share_max = 0.01;
constexpr std::size_t intervals_for_trend = 6;
constexpr double trend_share_max = 0.2;
constexpr double floor_bytes_share_max = 0.02;

// A figure's median does not move for one odd trial among many.
constexpr double odd_trials_share_min = 0.25;

// The figures of a cell by their round.
std::map<std::size_t, double> figures_of(const Run& run, std::size_t cell, Metric metric) {
  std::map<std::size_t, double> figures;
  for (const CellTrial& each : trials_of(run, cell)) {
    const auto value = figure(each.trial, run.cells[cell], metric);
    if (value) figures.emplace(each.round, *value);
  }
  return figures;
}

bool is_above(const std::optional<double>& value, double limit) {
  return value && *value > limit;
}

bool is_client_limited(const Trial& trial, const Cell& cell) {
  if (cell.load.schedule.is_closed()) {
    return is_above(figure(trial, cell, Metric::load_cpu), cpu_full) && trial.server &&
           !is_above(figure(trial, cell, Metric::server_cpu), cpu_full);
  }
  const auto response = figure(trial, cell, Metric::p50);
  return response &&
         is_above(figure(trial, cell, Metric::lateness_p99), *response * lateness_share_max);
}

bool is_rate_missed(const Trial& trial, const Cell& cell) {
  if (cell.load.schedule.is_closed() || trial.due == 0) return false;
  const std::uint64_t late = trial.lateness.count - trial.lateness.count_up_to(in_time_ns);
  const auto due = static_cast<double>(trial.due);
  return due - static_cast<double>(trial.dropped + late) < in_time_share_min * due;
}

// Little: calls open = answers a second x the time that each is open, which begins when it is sent.
bool breaks_littles_law(const Trial& trial, const Cell& cell) {
  if (trial.service.count == 0 || cell.answers_in_submit) return false;
  const double expected = trial.good_per_second() * trial.service.mean_ns / 1e9;
  return std::abs(trial.open_mean - expected) > littles_law_share_max * expected;
}

bool is_disturbed(const Trial& trial) {
  return is_above(trial.other_cpu_share, other_cpu_share_max) ||
         is_above(trial.stolen_share, stolen_share_max);
}

double good_per_second(std::span<const load::Interval> intervals) {
  double seconds = 0;
  double good = 0;
  for (const load::Interval& interval : intervals) {
    seconds += interval.seconds;
    good += static_cast<double>(interval.good);
  }
  return seconds > 0 ? good / seconds : 0;
}

// Whether the load is meant to be the same all the time.
bool is_steady(const load::Schedule& schedule) {
  return std::ranges::all_of(schedule.phases, [&](const load::Phase& phase) {
    return phase.from_per_second == phase.to_per_second &&
           phase.from_per_second == schedule.phases.front().from_per_second;
  });
}

bool has_trend(const Trial& trial, const Cell& cell) {
  const std::span<const load::Interval> series = trial.series;
  if (series.size() < intervals_for_trend || !is_steady(cell.load.schedule)) return false;
  const double first = good_per_second(series.first(series.size() / 3));
  const double last = good_per_second(series.last(series.size() / 3));
  return std::abs(last - first) > trend_share_max * std::max(first, last);
}

bool shows(Flag flag, const Trial& trial, const Cell& cell) {
  if (flag == Flag::invalid) return !trial.valid;
  if (flag == Flag::errors) {
    return is_above(figure(trial, cell, Metric::error_share), error_share_max);
  }
  if (flag == Flag::overloaded) return trial.dropped > 0;
  if (flag == Flag::observer_off) return trial.observer_active == false;
  if (flag == Flag::reconnects) return trial.connections.reconnects > 0;
  if (flag == Flag::outage) return trial.outages.count > 0;
  if (!trial.valid) return false;
  switch (flag) {
    case Flag::client_limited: return is_client_limited(trial, cell);
    case Flag::rate_missed: return is_rate_missed(trial, cell);
    case Flag::littles_law: return breaks_littles_law(trial, cell);
    case Flag::disturbed: return is_disturbed(trial);
    case Flag::not_stationary: return has_trend(trial, cell);
    case Flag::invalid:
    case Flag::overloaded:
    case Flag::errors:
    case Flag::observer_off:
    case Flag::reconnects:
    case Flag::outage:
    case Flag::floor_differs: break;  // Not of a single trial.
  }
  return false;
}

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < all_flags.size(); ++i) {
    if (static_cast<std::size_t>(all_flags[i].flag) != i) return false;
  }
  return true;
}
static_assert(is_in_order());

// "12 reconnects, 3 calls sent again", "1 outage, 0.31 s": of one trial.
std::string reconnects_of(const Trial& trial) {
  std::string text = std::to_string(trial.connections.reconnects) + " reconnects";
  if (trial.connections.resent > 0) {
    text += ", " + std::to_string(trial.connections.resent) + " calls sent again";
  }
  if (trial.connections.uncertain > 0) {
    text += ", " + std::to_string(trial.connections.uncertain) + " calls with unknown outcome";
  }
  return text;
}

std::string outages_of(const Trial& trial) {
  return std::to_string(trial.outages.count) +
         (trial.outages.count == 1 ? " outage, " : " outages, ") +
         format_nanoseconds(trial.outages.seconds * 1e9);
}

// The trials that show the flag, and more about the first of them.
std::string detail_of(Flag flag, std::size_t count, std::size_t trials, const Trial& first) {
  std::string detail = std::to_string(count) + " of " + std::to_string(trials);
  if (flag == Flag::invalid) detail += ": " + first.complaint();
  if (flag == Flag::reconnects) detail += ": " + reconnects_of(first);
  if (flag == Flag::outage) detail += ": " + outages_of(first);
  return detail;
}

// Of the trials that tell the bytes; nothing when none does. Without the interval, which takes a
// thousand times as long.
std::optional<double> median_bytes(const Run& run, std::size_t cell, Metric metric) {
  std::vector<double> values;
  for (const CellTrial& each : trials_of(run, cell)) {
    const auto value = figure(each.trial, run.cells[cell], metric);
    if (value && tells_bytes(each.trial, run.cells[cell])) values.push_back(*value);
  }
  return values.empty() ? std::nullopt : std::optional(median(std::move(values)));
}

// "90.2/76.9 bytes, its floor 60.2/57.5" when one of the two figures differs; else empty.
std::string floor_difference(const Run& run, std::size_t cell) {
  const auto floor = floor_of(run, cell);
  if (!floor) return {};
  bool differs = false;
  for (const Metric metric : {Metric::bytes_sent, Metric::bytes_received}) {
    const auto ours = median_bytes(run, cell, metric);
    const auto theirs = median_bytes(run, *floor, metric);
    if (!ours || !theirs) return {};
    differs = differs || std::abs(*ours - *theirs) > floor_bytes_share_max * *ours;
  }
  if (!differs) return {};
  const auto bytes = [&](std::size_t of) {
    return format_number(*median_bytes(run, of, Metric::bytes_sent)) + "/" +
           format_number(*median_bytes(run, of, Metric::bytes_received));
  };
  return bytes(cell) + " bytes, its floor " + bytes(*floor);
}

}  // namespace

bool tells_bytes(const Trial& trial, const Cell& cell) {
  const auto open = static_cast<double>(cell.load.slots());
  return open <= floor_bytes_share_max * static_cast<double>(trial.answered);
}

std::vector<double> values_of(const Run& run, std::size_t cell, Metric metric) {
  std::vector<double> values;
  for (const auto& [round, value] : figures_of(run, cell, metric)) values.push_back(value);
  return values;
}

Estimate estimate_of(const Run& run, std::size_t cell, Metric metric) {
  return estimate(values_of(run, cell, metric), mix(run.plan.seed, cell));
}

Comparison compare_cells(const Run& run, std::size_t ours, std::size_t theirs, Metric metric) {
  const auto our_figures = figures_of(run, ours, metric);
  const auto their_figures = figures_of(run, theirs, metric);
  std::vector<double> our_values;
  std::vector<double> their_values;
  for (const auto& [round, value] : our_figures) {
    const auto other = their_figures.find(round);
    if (other == their_figures.end()) continue;
    our_values.push_back(value);
    their_values.push_back(other->second);
  }
  return compare_pairs(our_values, their_values, mix(run.plan.seed, ours));
}

std::vector<Flagged> flags_of(const Run& run, std::size_t cell) {
  const auto trials =
      static_cast<std::size_t>(std::ranges::count(run.trials, cell, &CellTrial::cell));
  std::vector<Flagged> flags;
  for (const auto& [flag, word, explanation, is_grave] : all_flags) {
    std::vector<const Trial*> showing;
    for (const CellTrial& each : trials_of(run, cell)) {
      if (shows(flag, each.trial, run.cells[cell])) showing.push_back(&each.trial);
    }
    const auto count = static_cast<double>(showing.size());
    const bool is_enough = is_grave || count >= odd_trials_share_min * static_cast<double>(trials);
    if (showing.empty() || !is_enough) continue;
    flags.push_back(
        {.flag = flag, .detail = detail_of(flag, showing.size(), trials, *showing.front())});
  }
  std::string difference = floor_difference(run, cell);
  if (!difference.empty()) {
    flags.push_back({.flag = Flag::floor_differs, .detail = std::move(difference)});
  }
  return flags;
}

}  // namespace rps::model
