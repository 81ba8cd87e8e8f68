// Figures of how long answers take.
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "bench/model/format.hpp"
#include "bench/report/html_figure.hpp"

namespace rps::report {

namespace {

// The spectrum is read at so many shares of each power of ten of 1/(1-p) …
constexpr int steps_a_decade = 24;
constexpr int decades = 6;  // … up to 99.9999 %.

struct Percentile {
  double share;
  std::string_view name;
};

constexpr std::array<Percentile, 8> percentiles{{{0.1, "10 %"},
                                                 {0.5, "50 %"},
                                                 {0.75, "75 %"},
                                                 {0.9, "90 %"},
                                                 {0.99, "99 %"},
                                                 {0.999, "99.9 %"},
                                                 {0.9999, "99.99 %"},
                                                 {0.99999, "99.999 %"}}};

double place_of(double share) {
  return -std::log10(1 - share);
}

using Part = load::Distribution model::Trial::*;

// Over the trials, of which every one must have enough answers above.
struct Spread {
  double low = 0;
  double median = 0;
  double high = 0;
};
std::optional<Spread> spread_at(const std::vector<const model::Trial*>& trials, Part part,
                                double share) {
  std::vector<double> values;
  for (const model::Trial* const trial : trials) {
    const auto value = (trial->*part).supported_quantile_ns(share);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  if (values.empty()) return std::nullopt;
  return Spread{std::ranges::min(values), model::median(values), std::ranges::max(values)};
}

void add_spectrum(const FigureSource& source, std::size_t cell, Part part, XyLine line,
                  XyChart& chart) {
  const std::vector<const model::Trial*> trials = source.valid_trials(cell);
  XyBand band{.look = line.look};
  for (int step = 1; step <= decades * steps_a_decade; ++step) {
    const double x = static_cast<double>(step) / steps_a_decade;
    const auto spread = spread_at(trials, part, 1 - std::pow(10, -x));
    if (!spread) break;
    line.points.push_back({.x = x, .y = spread->median});
    band.edges.push_back({.x = x, .low = spread->low, .high = spread->high});
  }
  if (line.points.empty()) return;
  chart.lines.push_back(std::move(line));
  if (trials.size() > 1) chart.bands.push_back(std::move(band));
}

void add_numbers(const FigureSource& source, std::size_t cell, Part part, const std::string& name,
                 FigureNumbers& numbers) {
  std::vector<std::string> row{name};
  for (const Percentile& percentile : percentiles) {
    const auto spread = spread_at(source.valid_trials(cell), part, percentile.share);
    row.push_back(spread ? model::format_nanoseconds(spread->median) : "–");
  }
  numbers.rows.push_back(std::move(row));
}

XyChart spectrum_chart(std::string id, std::string title) {
  XyChart chart{
      .text = {.id = std::move(id),
               .title = std::move(title),
               .description = "One line for each subject: response time over the "
                              "percentile, both logarithmic."},
      .x = {.title = "percentile of the answers", .format = model::format_number},
      .y = {.title = "response time", .scale = Scale::log, .format = model::format_nanoseconds},
      .height = 460};
  for (const Percentile& percentile : percentiles) {
    if (percentile.share != 0.75) {
      chart.x.ticks.push_back({place_of(percentile.share), std::string(percentile.name)});
    }
  }
  return chart;
}

FigureNumbers spectrum_numbers() {
  FigureNumbers numbers{.headings = {"response time"}, .rows = {}};
  for (const Percentile& percentile : percentiles) numbers.headings.emplace_back(percentile.name);
  return numbers;
}

constexpr std::string_view spectrum_reading =
    "Each line tells how long the slowest answers took: right of 99 % stands what one in a hundred "
    "exceeds. Lower is better, and flat is steady. The band reaches from the lowest to the highest "
    "trial; a line ends where fewer than ten answers of a trial lie above.";

// Whether all are held to the same schedule.
bool is_one_load(const FigureSource& source) {
  const std::vector<std::size_t>& cells = source.main_open;
  return std::ranges::all_of(cells, [&](std::size_t cell) {
    return source.run.cells[cell].load == source.run.cells[cells.front()].load;
  });
}

std::string shared_load(const FigureSource& source) {
  if (source.main_open.empty() || !is_one_load(source)) return {};
  return ": " + load_words(source.run.cells[source.main_open.front()].load);
}

std::string own_loads(const FigureSource& source) {
  return is_one_load(source) ? std::string()
                             : " Each has a rate of its own, which stands with the numbers.";
}

// The first rate at which waiting takes over: the calls of a machine that keeps up wait little.
constexpr double knee_factor = 5;    // Times the p99 at the lowest rate.
constexpr double knee_share = 0.97;  // Of what was offered.

bool is_knee(const FigureSource& source, std::size_t first, std::size_t cell) {
  const auto p99 = source.estimate(cell, model::Metric::p99);
  const auto p99_at_first = source.estimate(first, model::Metric::p99);
  if (p99 && p99_at_first && p99->median > knee_factor * p99_at_first->median) return true;
  const auto achieved = source.estimate(cell, model::Metric::qps);
  const auto offered = source.estimate(cell, model::Metric::offered);
  return achieved && offered && achieved->median < knee_share * offered->median;
}

XyLine rate_line(const FigureSource& source, const std::vector<std::size_t>& cells,
                 model::Metric metric) {
  const FigureSubject& subject = source.subject_of(cells.front());
  XyLine line{.name = subject.name + " " + std::string(model::info(metric).key),
              .look = subject.look,
              .stroke = metric == model::Metric::p50 ? Stroke::dashed : Stroke::solid,
              .markers = Markers::all};
  bool has_knee = false;
  for (const std::size_t cell : cells) {
    const auto achieved = source.estimate(cell, model::Metric::qps);
    const auto latency = source.estimate(cell, metric);
    if (!achieved || !latency) continue;
    const bool is_ringed =
        !has_knee && metric == model::Metric::p99 && is_knee(source, cells.front(), cell);
    has_knee = has_knee || is_ringed;
    line.points.push_back({.x = achieved->median,
                           .y = latency->median,
                           .is_ringed = is_ringed,
                           .hint = line.name + ": " + model::format_nanoseconds(latency->median) +
                                   " at " + model::format_rate(achieved->median) + "/s"});
  }
  return line;
}

}  // namespace

std::optional<Figure> spectrum_closed(const FigureSource& source) {
  if (source.main_closed.empty()) return std::nullopt;
  const model::Load& load = source.run.cells[source.main_closed.front()].load;
  Figure figure{.id = "spectrum",
                .title = "Response times at " + load_words(load) + ", closed loop",
                .reading = std::string(spectrum_reading) + not_drawn(source.main_closed),
                .drawings = {},
                .numbers = spectrum_numbers()};
  XyChart chart = spectrum_chart(figure.id, figure.title);
  for (const std::size_t cell : drawn(source.main_closed)) {
    const FigureSubject& subject = source.subject_of(cell);
    add_spectrum(source, cell, &model::Trial::response,
                 {.name = subject.name, .look = subject.look}, chart);
  }
  if (chart.lines.empty()) return std::nullopt;
  for (const std::size_t cell : source.main_closed) {
    add_numbers(source, cell, &model::Trial::response, source.subject_of(cell).name,
                figure.numbers);
  }
  figure.drawings.push_back(to_svg(chart));
  return figure;
}

std::optional<Figure> spectrum_open(const FigureSource& source) {
  Figure figure{.id = "spectrum-open",
                .title = "Response and service times, open loop" + shared_load(source),
                .reading = std::string(spectrum_reading) +
                           " Solid: from when a call was due. Dashed: from when it was sent, which "
                           "leaves out what it waited for its turn." +
                           own_loads(source) + not_drawn(source.main_open),
                .drawings = {},
                .numbers = spectrum_numbers()};
  XyChart chart = spectrum_chart(figure.id, figure.title);
  for (const std::size_t cell : drawn(source.main_open)) {
    const FigureSubject& subject = source.subject_of(cell);
    add_spectrum(
        source, cell, &model::Trial::service,
        {.name = subject.name + ", service", .look = subject.look, .stroke = Stroke::dashed},
        chart);
    add_spectrum(source, cell, &model::Trial::response,
                 {.name = subject.name, .look = subject.look}, chart);
  }
  if (chart.lines.empty()) return std::nullopt;
  for (const std::size_t cell : source.main_open) {
    const std::string name =
        source.subject_of(cell).name + ", " + load_words(source.run.cells[cell].load);
    add_numbers(source, cell, &model::Trial::response, name + ": response", figure.numbers);
    add_numbers(source, cell, &model::Trial::service, name + ": service", figure.numbers);
  }
  figure.drawings.push_back(to_svg(chart));
  return figure;
}

std::optional<Figure> latency_against_rate(const FigureSource& source) {
  Figure figure{
      .id = "latency-against-throughput",
      .title = "Latency against throughput",
      .reading =
          "Each point is one offered rate, at what was achieved of it. As long as a server "
          "keeps up its line is flat; where it bends up, calls wait for each other. Solid is "
          "p99, dashed p50. A ring marks the first rate whose p99 is more than five times "
          "that of the lowest, or of which less than 97 % was achieved.",
      .drawings = {},
      .numbers = {.headings = {"subject and offered rate", "achieved", "p50", "p99", "p99.9"},
                  .rows = {}}};
  XyChart chart{
      .text = {figure.id, figure.title, "p50 and p99 of each subject over the answers a second."},
      .x = {.title = "good answers a second", .format = model::format_rate},
      .y = {.title = "response time", .scale = Scale::log, .format = model::format_nanoseconds},
      .height = 460};
  for (const std::vector<std::size_t>& cells : source.rates) {
    if (chart.lines.size() < 2 * look_count) {
      for (const model::Metric metric : {model::Metric::p50, model::Metric::p99}) {
        XyLine line = rate_line(source, cells, metric);
        if (!line.points.empty()) chart.lines.push_back(std::move(line));
      }
    }
    for (const std::size_t cell : cells) {
      figure.numbers.rows.push_back(
          {source.subject_of(cell).name + ", " + load_words(source.run.cells[cell].load),
           range_of(source.estimate(cell, model::Metric::qps), model::Metric::qps),
           range_of(source.estimate(cell, model::Metric::p50), model::Metric::p50),
           range_of(source.estimate(cell, model::Metric::p99), model::Metric::p99),
           text_of(source.estimate(cell, model::Metric::p999), model::Metric::p999)});
    }
  }
  if (chart.lines.empty()) return std::nullopt;
  figure.drawings.push_back(to_svg(chart));
  return figure;
}

}  // namespace rps::report
