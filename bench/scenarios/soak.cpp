#include "bench/scenarios/soak.hpp"

#include <algorithm>
#include <cmath>
#include <ranges>
#include <span>
#include <vector>

#include "bench/model/format.hpp"
#include "bench/model/statistics.hpp"
#include "bench/scenarios/peak.hpp"

namespace rps::scenarios {

namespace {

using Series = std::span<const load::Interval>;

double median_of(Series series, auto member) {
  std::vector<double> values;
  for (const load::Interval& each : series) values.push_back(static_cast<double>(each.*member));
  return values.empty() ? 0 : model::median(std::move(values));
}

// Short intervals, as the last one mostly is, have no reading of the server.
bool was_looked_at(const load::Interval& interval) {
  return interval.rss_bytes > 0;
}

// Of the resident memory over time, a second, by least squares.
double rss_slope(Series series) {
  double n = 0, sum_t = 0, sum_y = 0, sum_tt = 0, sum_ty = 0;
  for (const load::Interval& each : series | std::views::filter(was_looked_at)) {
    ++n;
    const auto bytes = static_cast<double>(each.rss_bytes);
    sum_t += each.begins;
    sum_y += bytes;
    sum_tt += each.begins * each.begins;
    sum_ty += each.begins * bytes;
  }
  const double spread = n * sum_tt - sum_t * sum_t;
  return spread > 0 ? (n * sum_ty - sum_t * sum_y) / spread : 0;
}

std::string change(const std::string& first, const std::string& last) {
  return first + " in the first third, " + last + " in the last";
}

}  // namespace

SoakResult judge_soak(const model::Trial& trial, double rate) {
  const Series series(trial.series);
  const std::size_t third = series.size() / 3;
  const Series first = series.first(third);
  const Series last = series.last(third);
  SoakResult result{.rate = rate,
                    .rss_first_bytes = median_of(first, &load::Interval::rss_bytes),
                    .rss_last_bytes = median_of(last, &load::Interval::rss_bytes),
                    .files_first = median_of(first, &load::Interval::open_files),
                    .files_last = median_of(last, &load::Interval::open_files),
                    .p99_first_ns = median_of(first, &load::Interval::p99_ns),
                    .p99_last_ns = median_of(last, &load::Interval::p99_ns)};
  for (const load::Interval& each : series) result.failed += each.bad;
  if (result.p99_first_ns <= 0 || result.p99_last_ns <= 0) {
    result.why_no_p99 = third == 0 ? "there are fewer than three intervals"
                                   : "in one of both thirds nothing was answered";
  }
  if (result.rss_first_bytes <= 0 || result.rss_last_bytes <= 0) {
    result.why_no_memory =
        trial.why_no.server.empty() ? "in one of both thirds it was not read" : trial.why_no.server;
  }
  const double mean = (result.rss_first_bytes + result.rss_last_bytes) / 2;
  if (mean > 0) result.rss_slope_per_hour = rss_slope(series.subspan(third)) * 3600 / mean;
  return result;
}

SoakResult run_soak(Measurement& measurement, const NamedTarget& target, model::Load load,
                    double share, double seconds) {
  const double rate = std::floor(measure_peak(measurement, target, load, 1) * share);
  if (measurement.run.interrupted) return {.rate = rate};
  load.schedule = steady(load::Arrivals::poisson, rate, seconds);
  run_cells(measurement, {target.at(load, 1)});
  return judge_soak(measurement.run.trials.back().trial, rate);
}

std::string to_text(const SoakResult& result) {
  std::string text =
      "\n## Soak\n\n- At " + model::format_rate(result.rate) +
      "/s; failed calls: " + std::to_string(result.failed) + ".\n- p99: " +
      (result.why_no_p99.empty() ? change(model::format_nanoseconds(result.p99_first_ns),
                                          model::format_nanoseconds(result.p99_last_ns))
                                 : "absent: " + result.why_no_p99) +
      ".\n";
  if (!result.why_no_memory.empty()) {
    return text + "- Resident memory and open files: absent: " + result.why_no_memory + ".\n";
  }
  return text + "- Resident memory: " +
         change(model::format_number(result.rss_first_bytes / 1e6) + " MB",
                model::format_number(result.rss_last_bytes / 1e6) + " MB") +
         "; " + model::format_number(std::abs(result.rss_slope_per_hour) * 100) + " % an hour " +
         (result.rss_slope_per_hour < 0 ? "down" : "up") + ".\n- Open files: " +
         change(model::format_number(result.files_first), model::format_number(result.files_last)) +
         ".\n";
}

}  // namespace rps::scenarios
