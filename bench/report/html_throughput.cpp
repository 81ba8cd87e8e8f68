// Figures of how much is answered: over concurrency, over what is offered, and over time.
#include <algorithm>
#include <cmath>
#include <limits>

#include "bench/model/format.hpp"
#include "bench/report/html_figure.hpp"

namespace rps::report {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

Range range_of_median(const model::Estimate& estimate) {
  return {estimate.low, estimate.high};
}

// ---- Over concurrency ----------------------------------------------------------------------

XyLine concurrency_line(const FigureSource& source, const std::vector<std::size_t>& cells) {
  const FigureSubject& subject = source.subject_of(cells.front());
  XyLine line{.name = subject.name, .look = subject.look, .markers = Markers::all};
  for (const std::size_t cell : cells) {
    const auto qps = source.estimate(cell, model::Metric::qps);
    if (!qps) continue;
    const auto lanes = static_cast<double>(source.run.cells[cell].load.lanes());
    line.points.push_back({.x = lanes,
                           .y = qps->median,
                           .interval = range_of_median(*qps),
                           .hint = subject.name + ": " + model::format_rate(qps->median) +
                                   "/s with " + model::format_number(lanes)});
  }
  return line;
}

// As if every further call that is open brought as much as the first.
XyLine linear_guide(const XyLine& line) {
  const XyPoint& first = line.points.front();
  const double x = line.points.back().x;
  return {.look = line.look,
          .stroke = Stroke::dotted,
          .points = {{.x = first.x, .y = first.y}, {.x = x, .y = first.y * x / first.x}}};
}

// ---- Over what is offered ------------------------------------------------------------------

XyLine goodput_line(const FigureSource& source, const std::vector<std::size_t>& cells) {
  const FigureSubject& subject = source.subject_of(cells.front());
  XyLine line{.name = subject.name, .look = subject.look, .markers = Markers::all};
  for (const std::size_t cell : cells) {
    const auto good = source.estimate(cell, model::Metric::qps);
    const double offered = rate_of(source.run.cells[cell].load).value_or(nothing);
    if (!good) continue;
    line.points.push_back({.x = offered,
                           .y = good->median,
                           .interval = range_of_median(*good),
                           .hint = subject.name + ": " + model::format_rate(good->median) +
                                   "/s of " + model::format_rate(offered)});
  }
  return line;
}

// The share that was dropped or not answered rightly.
std::optional<double> failed_share(const FigureSource& source, std::size_t cell) {
  const auto dropped = source.estimate(cell, model::Metric::dropped_share);
  const auto wrong = source.estimate(cell, model::Metric::error_share);
  if (!dropped && !wrong) return std::nullopt;
  return (dropped ? dropped->median : 0) + (wrong ? wrong->median : 0);
}

XyLine failed_line(const FigureSource& source, const std::vector<std::size_t>& cells) {
  const FigureSubject& subject = source.subject_of(cells.front());
  XyLine line{.name = subject.name, .look = subject.look, .markers = Markers::all};
  for (const std::size_t cell : cells) {
    const double offered = rate_of(source.run.cells[cell].load).value_or(nothing);
    const auto failed = failed_share(source, cell);
    if (!failed) continue;
    line.points.push_back({.x = offered,
                           .y = *failed * 100,
                           .hint = subject.name + ": " + model::format_number(*failed * 100) +
                                   " % of " + model::format_rate(offered)});
  }
  return line;
}

XyLine diagonal(const XyChart& chart) {
  double most = 0;
  double least = std::numeric_limits<double>::max();
  for (const XyLine& line : chart.lines) {
    for (const XyPoint& point : line.points) {
      most = std::max(most, point.x);
      least = std::min(least, point.x);
    }
  }
  return {.look = {.index = 0, .is_neutral = true},
          .stroke = Stroke::dotted,
          .points = {{.x = least, .y = least}, {.x = most, .y = most}}};
}

// ---- Over time -----------------------------------------------------------------------------

constexpr std::size_t intervals_least = 5;  // Fewer are no course.
constexpr double course_width = 490;
constexpr double course_height = 230;
constexpr std::size_t rows_of_series = 120;  // In the numbers; of longer series every n-th.

struct Course {
  std::size_t cell = 0;
  const model::Trial* trial = nullptr;
};

bool is_main(const FigureSource& source, std::size_t cell) {
  return std::ranges::count(source.main_closed, cell) + std::ranges::count(source.main_open, cell) >
         0;
}

// The longest that the subject has, of equals one at the main load; what went wrong is worth seeing
// too.
std::optional<Course> longest_course(const FigureSource& source, const FigureSubject& subject) {
  Course best;
  for (const model::CellTrial& each : source.run.trials) {
    const std::size_t length = each.trial.series.size();
    if (source.run.cells[each.cell].subject != subject.key || length < intervals_least) continue;
    const bool is_longer = best.trial == nullptr || length > best.trial->series.size();
    const bool is_as_long = !is_longer && length == best.trial->series.size();
    if (is_longer || (is_as_long && !is_main(source, best.cell) && is_main(source, each.cell))) {
      best = {each.cell, &each.trial};
    }
  }
  if (best.trial == nullptr) return std::nullopt;
  return best;
}

XyLine course_line(const FigureSubject& subject, std::string name, Stroke stroke,
                   const std::vector<load::Interval>& series,
                   const std::function<double(const load::Interval&)>& value) {
  XyLine line{
      .name = std::move(name), .look = subject.look, .stroke = stroke, .markers = Markers::none};
  for (const load::Interval& each : series) {
    line.points.push_back({.x = each.begins + each.seconds / 2, .y = value(each)});
  }
  return line;
}

double per_second(std::uint64_t count, const load::Interval& interval) {
  return interval.seconds > 0 ? static_cast<double>(count) / interval.seconds : nothing;
}

// Without answers there is no latency.
double latency(double nanoseconds) {
  return nanoseconds > 0 ? nanoseconds : nothing;
}

XyLine offered_line(const load::Schedule& schedule) {
  XyLine line{.name = "offered",
              .look = {.index = 0, .is_neutral = true},
              .stroke = Stroke::dotted,
              .markers = Markers::none};
  double begins = 0;
  for (const load::Phase& phase : schedule.phases) {
    line.points.push_back({.x = begins, .y = phase.from_per_second});
    begins += phase.seconds;
    line.points.push_back({.x = begins, .y = phase.to_per_second});
  }
  return line;
}

bool any_failed(const std::vector<load::Interval>& series) {
  return std::ranges::any_of(
      series, [](const load::Interval& each) { return each.dropped + each.bad > 0; });
}

XyChart rate_course(const FigureSource& source, const FigureSubject& subject,
                    const Course& course) {
  const model::Cell& cell = source.run.cells[course.cell];
  const std::vector<load::Interval>& series = course.trial->series;
  XyChart chart{.text = {.id = "time-series-rate-" + std::to_string(course.cell),
                         .title = subject.name + ": answers a second over time",
                         .description = cell.key},
                .x = {.title = "seconds", .format = model::format_number},
                .y = {.title = subject.name + ", calls a second: " + load_words(cell.load),
                      .format = model::format_rate,
                      .from_zero = true},
                .width = course_width,
                .height = course_height};
  if (!cell.load.schedule.is_closed()) chart.lines.push_back(offered_line(cell.load.schedule));
  chart.lines.push_back(course_line(subject, "good", Stroke::solid, series,
                                    [](const load::Interval& i) { return per_second(i.good, i); }));
  if (any_failed(series)) {
    chart.lines.push_back(
        course_line(subject, "dropped, wrong", Stroke::dashed, series,
                    [](const load::Interval& i) { return per_second(i.dropped + i.bad, i); }));
  }
  return chart;
}

XyChart latency_course(const FigureSource& source, const FigureSubject& subject,
                       const Course& course) {
  const std::vector<load::Interval>& series = course.trial->series;
  XyChart chart{.text = {.id = "time-series-latency-" + std::to_string(course.cell),
                         .title = subject.name + ": response time over time",
                         .description = source.run.cells[course.cell].key},
                .x = {.title = "seconds", .format = model::format_number},
                .y = {.title = subject.name + ", response time",
                      .scale = Scale::log,
                      .format = model::format_nanoseconds},
                .width = course_width,
                .height = course_height};
  chart.lines.push_back(course_line(subject, "max", Stroke::dotted, series,
                                    [](const load::Interval& i) { return latency(i.max_ns); }));
  chart.lines.push_back(course_line(subject, "p99", Stroke::dashed, series,
                                    [](const load::Interval& i) { return latency(i.p99_ns); }));
  chart.lines.push_back(course_line(subject, "p50", Stroke::solid, series,
                                    [](const load::Interval& i) { return latency(i.p50_ns); }));
  XyBand usual{.look = subject.look};
  XyBand rare{.look = subject.look};
  for (const load::Interval& each : series) {
    const double x = each.begins + each.seconds / 2;
    usual.edges.push_back({.x = x, .low = latency(each.p50_ns), .high = latency(each.p99_ns)});
    rare.edges.push_back({.x = x, .low = latency(each.p50_ns), .high = latency(each.max_ns)});
  }
  chart.bands = {std::move(rare), std::move(usual)};
  return chart;
}

void add_rows(const FigureSubject& subject, const std::vector<load::Interval>& series,
              FigureNumbers& numbers) {
  const std::size_t stride = (series.size() + rows_of_series - 1) / rows_of_series;
  for (std::size_t i = 0; i < series.size(); i += stride) {
    const load::Interval& each = series[i];
    const bool is_answered = each.max_ns > 0;
    numbers.rows.push_back({subject.name, without_zeros(model::format_number(each.begins)),
                            model::format_rate(each.seconds > 0 ? per_second(each.good, each) : 0),
                            std::to_string(each.dropped), std::to_string(each.bad),
                            is_answered ? model::format_nanoseconds(each.p50_ns) : "–",
                            is_answered ? model::format_nanoseconds(each.p99_ns) : "–",
                            is_answered ? model::format_nanoseconds(each.max_ns) : "–"});
  }
}

}  // namespace

std::optional<Figure> rate_against_concurrency(const FigureSource& source) {
  Figure figure{
      .id = "qps-against-concurrency",
      .title = "QPS against concurrency",
      .reading =
          "Each point is a closed loop with so many calls open at once; the bar through it is "
          "its interval. The dotted line is what the first point would become if every "
          "further call brought as much as the first: where the points leave it, something "
          "is full.",
      .drawings = {},
      .numbers = {.headings = {"subject and load", "calls open", "QPS", "p50", "p99"}, .rows = {}}};
  XyChart chart{
      .text = {figure.id, figure.title,
               "Good answers a second of each subject over the calls open at once, both "
               "logarithmic."},
      .x = {.title = "calls open at once", .scale = Scale::log, .format = model::format_number},
      .y = {.title = "good answers a second", .scale = Scale::log, .format = model::format_rate},
      .height = 460};
  for (const std::vector<std::size_t>& cells : source.concurrencies) {
    XyLine line = concurrency_line(source, cells);
    if (chart.lines.size() < look_count && line.points.size() > 1) {
      chart.guides.push_back(linear_guide(line));
      chart.lines.push_back(std::move(line));
    }
    for (const std::size_t cell : cells) {
      const model::Load& load = source.run.cells[cell].load;
      figure.numbers.rows.push_back(
          {source.subject_of(cell).name + ", " + load_words(load), std::to_string(load.lanes()),
           range_of(source.estimate(cell, model::Metric::qps), model::Metric::qps),
           text_of(source.estimate(cell, model::Metric::p50), model::Metric::p50),
           text_of(source.estimate(cell, model::Metric::p99), model::Metric::p99)});
    }
  }
  if (chart.lines.empty()) return std::nullopt;
  figure.drawings.push_back(to_svg(chart));
  return figure;
}

std::optional<Figure> goodput_against_rate(const FigureSource& source) {
  Figure figure{
      .id = "goodput-against-offered",
      .title = "Goodput against offered load",
      .reading =
          "On the dotted diagonal everything that was offered was answered rightly. Under "
          "overload a good server leaves it to the right and stays level; one that falls "
          "works for nobody. Below: the share that was dropped, refused, wrong or too late.",
      .drawings = {},
      .numbers = {.headings = {"subject and offered rate", "good", "dropped", "errors"},
                  .rows = {}}};
  XyChart goodput{
      .text = {figure.id, figure.title, "Good answers a second over calls offered a second."},
      .x = {.title = "calls offered a second", .format = model::format_rate, .from_zero = true},
      .y = {.title = "good answers a second", .format = model::format_rate, .from_zero = true},
      .height = 420};
  XyChart failed{
      .text = {figure.id + "-failed", "Share of calls that failed",
               "Per cent of the calls offered, over calls offered a second."},
      .x = {.title = "calls offered a second", .format = model::format_rate, .from_zero = true},
      .y = {.title = "dropped or not answered rightly, % of the calls",
            .format = model::format_number,
            .from_zero = true},
      .height = 240};
  for (const std::vector<std::size_t>& cells : source.rates) {
    if (goodput.lines.size() < look_count) {
      goodput.lines.push_back(goodput_line(source, cells));
      failed.lines.push_back(failed_line(source, cells));
    }
    for (const std::size_t cell : cells) {
      figure.numbers.rows.push_back(
          {source.subject_of(cell).name + ", " + load_words(source.run.cells[cell].load),
           range_of(source.estimate(cell, model::Metric::qps), model::Metric::qps),
           text_of(source.estimate(cell, model::Metric::dropped_share),
                   model::Metric::dropped_share),
           text_of(source.estimate(cell, model::Metric::error_share), model::Metric::error_share)});
    }
  }
  if (goodput.lines.empty()) return std::nullopt;
  goodput.guides.push_back(diagonal(goodput));
  figure.drawings = {to_svg(goodput), to_svg(failed)};
  return figure;
}

std::optional<Figure> time_series(const FigureSource& source) {
  Figure figure{
      .id = "time-series",
      .title = "Over time",
      .reading =
          "One trial of each subject, the longest there is, interval by interval. Left: "
          "calls a second, with what was offered dotted and what failed dashed. Right: the "
          "band reaches from p50 over p99 to the slowest answer of each interval; a gap is "
          "an interval without an answer.",
      .drawings = {},
      .numbers = {
          .headings = {"subject", "second", "good/s", "dropped", "wrong", "p50", "p99", "max"},
          .rows = {}}};
  for (const FigureSubject& subject : source.subjects) {
    const auto course = longest_course(source, subject);
    if (!course || figure.drawings.size() == look_count) continue;
    figure.drawings.push_back(to_svg(rate_course(source, subject, *course)) +
                              to_svg(latency_course(source, subject, *course)));
    add_rows(subject, course->trial->series, figure.numbers);
  }
  if (figure.drawings.empty()) return std::nullopt;
  return figure;
}

}  // namespace rps::report
