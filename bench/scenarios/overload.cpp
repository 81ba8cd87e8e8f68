#include "bench/scenarios/overload.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "bench/model/format.hpp"
#include "bench/model/statistics.hpp"
#include "bench/scenarios/peak.hpp"

namespace rps::scenarios {

namespace {

constexpr std::size_t steady_intervals = 3;

// The intervals that lie between two times.
std::vector<load::Interval> between(const std::vector<load::Interval>& series, double from,
                                    double to) {
  std::vector<load::Interval> found;
  for (const load::Interval& each : series) {
    if (each.begins >= from && each.begins + each.seconds <= to) found.push_back(each);
  }
  return found;
}

double median_p99(const std::vector<load::Interval>& series) {
  std::vector<double> values;
  for (const load::Interval& each : series) {
    if (each.good > 0) values.push_back(each.p99_ns);
  }
  return values.empty() ? 0 : model::median(std::move(values));
}

double per_second(const std::vector<load::Interval>& series,
                  std::uint64_t load::Interval::* count) {
  double sum = 0;
  double seconds = 0;
  for (const load::Interval& each : series) {
    sum += static_cast<double>(each.*count);
    seconds += each.seconds;
  }
  return seconds > 0 ? sum / seconds : 0;
}

// When `limit` is met for the first time and stays so for steady_intervals; seconds from `from`.
std::optional<double> settles_below(const std::vector<load::Interval>& series, double limit,
                                    double from) {
  std::size_t steady = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    steady = series[i].good > 0 && series[i].p99_ns <= limit ? steady + 1 : 0;
    if (steady == steady_intervals) return series[i + 1 - steady_intervals].begins - from;
  }
  return std::nullopt;
}

load::Phase at_rate(double seconds, double rate) {
  return {.seconds = seconds, .from_per_second = rate, .to_per_second = rate};
}

}  // namespace

OverloadResult judge_overload(const model::Trial& trial, const std::vector<load::Phase>& phases,
                              double peak) {
  const double begins = phases.at(0).seconds;
  const double ends = begins + phases.at(1).seconds;
  const double over = ends + phases.at(2).seconds;
  const auto before = between(trial.series, 0, begins);
  const auto during = between(trial.series, begins, ends);
  const auto after = between(trial.series, ends, over + 1);
  const double usual = median_p99(before);
  return {.peak = peak,
          .before_p99_ns = usual,
          .during_good = per_second(during, &load::Interval::good),
          .during_p99_ns = median_p99(during),
          .during_dropped = per_second(during, &load::Interval::dropped),
          .during_bad = per_second(during, &load::Interval::bad),
          .bad_p99_ns = trial.errors.quantile_ns(0.99),
          .recovered_seconds = settles_below(after, usual * recovered_factor, ends)};
}

load::Schedule overload_schedule(double half, double twice, double seconds_before, double seconds) {
  return {
      .arrivals = load::Arrivals::poisson,
      .phases = {at_rate(seconds_before, half), at_rate(seconds, twice), at_rate(seconds, half)}};
}

OverloadResult run_overload(Measurement& measurement, const NamedTarget& target, model::Load load,
                            double seconds) {
  const double peak = measure_peak(measurement, target, load, 1);
  if (measurement.run.interrupted) return {.peak = peak};
  load.schedule =
      overload_schedule(std::floor(peak / 2), std::floor(peak * 2), seconds / 2, seconds);
  run_cells(measurement, {target.at(load, 1)});
  return judge_overload(measurement.run.trials.back().trial, load.schedule.phases, peak);
}

namespace {

// 0 stands for no answers.
std::string p99_text(double ns, std::string_view answers) {
  return ns > 0 ? model::format_nanoseconds(ns) : "absent: no " + std::string(answers) + " came";
}

}  // namespace

std::string to_text(const OverloadResult& result) {
  const double share = result.peak > 0 ? result.during_good / result.peak : 0;
  std::string text = "\n## Overload and recovery\n\n";
  text += "- A closed loop got " + model::format_rate(result.peak) +
          "/s. Offered half of it, p99 was " + p99_text(result.before_p99_ns, "right answer") +
          ".\n";
  text += "- Offered twice as much: answered well " + model::format_rate(result.during_good) +
          "/s, " + model::format_number(share * 100) + " % of it (p99 " +
          p99_text(result.during_p99_ns, "right answer") + "); refused or failed " +
          model::format_rate(result.during_bad) + "/s (p99 " +
          p99_text(result.bad_p99_ns, "such answer") +
          "),\n  dropped by the harness, whose calls were all open, " +
          model::format_rate(result.during_dropped) + "/s.\n";
  text += result.recovered_seconds ? "- Back at half: p99 was within 10 % of before after " +
                                         model::format_number(*result.recovered_seconds) + " s.\n"
                                   : std::string("- Back at half: p99 did not come back.\n");
  return text;
}

}  // namespace rps::scenarios
