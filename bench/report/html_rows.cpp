// Figures with a row for each subject or cell: what a call costs, what of it is the transport, and
// every single trial.
#include <algorithm>
#include <array>
#include <string_view>

#include "bench/model/format.hpp"
#include "bench/report/html_figure.hpp"

namespace rps::report {

namespace {

constexpr Look server_look{.index = 0};
constexpr Look load_look{.index = 1};
constexpr Look floor_look{.index = 0, .is_neutral = true};
constexpr Look rest_look{.index = 0};

std::string with_unit(const std::string& number, std::string_view unit) {
  return number + std::string(unit);
}

// ---- What a call costs ---------------------------------------------------------------------

struct Part {
  std::string_view name;
  model::Metric metric;
  Look look;
  bool is_hatched;
};

constexpr std::array<Part, 4> parts{
    {{"server, user", model::Metric::cpu_user_us, server_look, false},
     {"server, kernel", model::Metric::cpu_system_us, server_look, true},
     {"load, user", model::Metric::load_user_us, load_look, false},
     {"load, kernel", model::Metric::load_system_us, load_look, true}}};

RowMark cost_mark(const FigureSource& source, std::size_t cell) {
  RowMark mark;
  double sum = 0;
  for (const Part& part : parts) {
    const auto share = source.estimate(cell, part.metric);
    if (!share) continue;
    sum += share->median;
    mark.segments.push_back(
        {.value = share->median,
         .look = part.look,
         .is_hatched = part.is_hatched,
         .hint = std::string(part.name) + ": " + model::format_number(share->median) + " µs"});
  }
  mark.text = mark.segments.empty() ? "–" : model::format_number(sum);
  return mark;
}

// A small panel of one metric; nothing when no cell has it.
std::optional<RowPanel> small_panel(const FigureSource& source, model::Metric metric,
                                    std::string title) {
  RowPanel panel{
      .axis = {.title = std::move(title),
               .format = [metric](double value) { return model::format_metric(metric, value); },
               .from_zero = true},
      .share = 1};
  bool is_empty = true;
  for (const std::size_t cell : source.main_closed) {
    const auto value = source.estimate(cell, metric);
    RowMark mark;
    if (value) mark.segments.push_back({.value = value->median, .look = floor_look});
    mark.text = text_of(value, metric);
    is_empty = is_empty && !value;
    panel.marks.push_back(std::move(mark));
  }
  if (is_empty) return std::nullopt;
  return panel;
}

bool has_cost(const FigureSource& source, std::size_t cell) {
  return std::ranges::any_of(
      parts, [&](const Part& part) { return source.estimate(cell, part.metric).has_value(); });
}

constexpr std::array<model::Metric, 4> beside_cost{model::Metric::cpu_us, model::Metric::switches,
                                                   model::Metric::syscalls,
                                                   model::Metric::rss_peak};

// ---- What of it is the transport -----------------------------------------------------------

struct FloorCells {
  std::size_t stage = 0;
  std::size_t floor = 0;
};

std::vector<FloorCells> floor_cells(const model::Run& run, std::span<const FloorPair> floors) {
  std::vector<FloorCells> out;
  for (const FloorPair& pair : floors) {
    const model::Cell* const stage = run.find(pair.stage);
    const model::Cell* const floor = run.find(pair.floor);
    if (stage == nullptr || floor == nullptr) continue;
    out.push_back({static_cast<std::size_t>(stage - run.cells.data()),
                   static_cast<std::size_t>(floor - run.cells.data())});
  }
  return out;
}

// The subject's name, or where it has several rows the cell's.
std::string floor_row_name(const FigureSource& source, const std::vector<FloorCells>& cells,
                           std::size_t stage) {
  const model::Cell& cell = source.run.cells[stage];
  const auto rows = std::ranges::count_if(cells, [&](const FloorCells& each) {
    return source.run.cells[each.stage].subject == cell.subject;
  });
  return rows > 1 ? cell.key : cell.name;
}

RowMark floor_mark(const FigureSource& source, const FloorCells& cells, model::Metric metric) {
  const auto whole = source.estimate(cells.stage, metric);
  const auto floor = source.estimate(cells.floor, metric);
  if (!whole || !floor) return {.text = "–"};
  const double below = std::min(whole->median, floor->median);
  const double rest = whole->median - below;
  RowMark mark;
  mark.segments = {{.value = below,
                    .look = floor_look,
                    .is_hatched = true,
                    .hint = "floor: " + model::format_metric(metric, floor->median)},
                   {.value = rest,
                    .look = rest_look,
                    .hint = "the rest: " + model::format_metric(metric, rest)}};
  mark.text =
      model::format_metric(metric, rest) + " of " + model::format_metric(metric, whole->median);
  return mark;
}

RowPanel floor_panel(const FigureSource& source, const std::vector<FloorCells>& cells,
                     model::Metric metric, std::string title) {
  RowPanel panel{
      .axis = {.title = std::move(title),
               .format = [metric](double value) { return model::format_metric(metric, value); },
               .from_zero = true},
      .share = 1};
  for (const FloorCells& each : cells) panel.marks.push_back(floor_mark(source, each, metric));
  return panel;
}

// ---- Every trial ---------------------------------------------------------------------------

constexpr std::size_t trials_least = 2;

std::vector<double> values_of(const FigureSource& source, std::size_t cell, model::Metric metric) {
  std::vector<double> out;
  for (const model::Trial* const trial : source.valid_trials(cell)) {
    if (const auto value = model::figure(*trial, source.run.cells[cell], metric))
      out.push_back(*value);
  }
  return out;
}

RowMark dots_mark(const FigureSource& source, std::size_t cell, model::Metric metric) {
  const auto estimate = source.estimate(cell, metric);
  if (!estimate || !(estimate->median > 0)) return {.text = "–"};
  RowMark mark{.look = source.subject_of(cell).look, .text = text_of(estimate, metric)};
  for (const double value : values_of(source, cell, metric)) {
    mark.dots.push_back(value / estimate->median);
  }
  mark.interval = Range{estimate->low / estimate->median, estimate->high / estimate->median};
  return mark;
}

RowPanel dots_panel(const FigureSource& source, const std::vector<std::size_t>& cells,
                    model::Metric metric, std::string title) {
  RowPanel panel{
      .axis = {.title = std::move(title),
               .scale = Scale::log,
               .format = [](double value) { return model::format_number(value) + " ×"; }},
      .share = 1,
      .line = 1};
  for (const std::size_t cell : cells) panel.marks.push_back(dots_mark(source, cell, metric));
  return panel;
}

std::string joined(const std::vector<double>& values, model::Metric metric) {
  std::string out;
  for (const double value : values) {
    out += (out.empty() ? "" : ", ") + model::format_metric(metric, value);
  }
  return out.empty() ? "–" : out;
}

}  // namespace

std::optional<Figure> cost_of_a_call(const FigureSource& source) {
  const std::vector<std::size_t>& cells = source.main_closed;
  if (std::ranges::none_of(cells, [&](std::size_t cell) { return has_cost(source, cell); })) {
    return std::nullopt;
  }
  Figure figure{
      .id = "cost",
      .title = "What a call costs, at " + load_words(source.run.cells[cells.front()].load),
      .reading =
          "CPU time of both sides for one call: unlike QPS it hardly depends on which side "
          "was full. Hatched is time in the kernel. Beside it, of the server alone: context "
          "switches and system calls for one call, and the most memory it held.",
      .drawings = {},
      .numbers = {.headings = {"subject"}, .rows = {}}};
  RowChart chart{.text = {figure.id, figure.title,
                          "Stacked bars of CPU time for one call, one bar a subject; then context "
                          "switches, system calls and memory."}};
  RowPanel cost{
      .axis = {.title = "CPU time a call, µs", .format = model::format_number, .from_zero = true},
      .share = 3};
  for (const std::size_t cell : cells) {
    chart.rows.push_back(source.subject_of(cell).name);
    cost.marks.push_back(cost_mark(source, cell));
  }
  chart.panels.push_back(std::move(cost));
  for (auto& panel : {small_panel(source, model::Metric::switches, "switches a call"),
                      small_panel(source, model::Metric::syscalls, "system calls a call"),
                      small_panel(source, model::Metric::rss_peak, "peak memory")}) {
    if (panel) chart.panels.push_back(*panel);
  }
  for (const Part& part : parts) {
    chart.keys.push_back({std::string(part.name), part.look, part.is_hatched});
    figure.numbers.headings.push_back(with_unit(std::string(part.name), ", µs"));
  }
  for (const std::string_view heading :
       {"server in all, µs", "switches", "system calls", "peak memory"}) {
    figure.numbers.headings.emplace_back(heading);
  }
  for (const std::size_t cell : cells) {
    std::vector<std::string> row{source.subject_of(cell).name};
    for (const Part& part : parts) {
      const auto value = source.estimate(cell, part.metric);
      row.push_back(value ? model::format_number(value->median) : "–");
    }
    for (const model::Metric metric : beside_cost) {
      row.push_back(text_of(source.estimate(cell, metric), metric));
    }
    figure.numbers.rows.push_back(std::move(row));
  }
  figure.drawings.push_back(to_svg(chart));
  return figure;
}

std::optional<Figure> time_against_floor(const FigureSource& source,
                                         std::span<const FloorPair> floors) {
  const std::vector<FloorCells> cells = floor_cells(source.run, floors);
  if (cells.empty()) return std::nullopt;
  Figure figure{
      .id = "floor",
      .title = "What is ours, and what is the transport's",
      .reading =
          "Hatched grey is the floor: the same bytes over the same transport with nothing "
          "behind them. The rest is what framework and game add. A stage that is below its "
          "floor within the noise shows no rest.",
      .drawings = {},
      .numbers = {.headings = {"stage and floor", "CPU a call", "floor", "mean time", "floor"},
                  .rows = {}}};
  RowChart chart{
      .text = {figure.id, figure.title, "Stacked bars: the floor of the transport, and the rest."}};
  for (const FloorCells& each : cells) {
    const std::string name = floor_row_name(source, cells, each.stage);
    chart.rows.push_back(name);
    std::vector<std::string> row{name + " over " + source.subject_of(each.floor).name};
    for (const model::Metric metric : {model::Metric::cpu_us, model::Metric::mean}) {
      row.push_back(range_of(source.estimate(each.stage, metric), metric));
      row.push_back(range_of(source.estimate(each.floor, metric), metric));
    }
    figure.numbers.rows.push_back(std::move(row));
  }
  chart.panels = {floor_panel(source, cells, model::Metric::cpu_us, "the server's CPU time a call"),
                  floor_panel(source, cells, model::Metric::mean, "mean response time")};
  chart.keys = {{"floor of the transport", floor_look, true}, {"the rest", rest_look, false}};
  figure.drawings.push_back(to_svg(chart));
  return figure;
}

std::optional<Figure> trial_dots(const FigureSource& source) {
  std::vector<std::size_t> cells;
  for (const std::vector<std::size_t>* const kind : {&source.closed, &source.open}) {
    std::ranges::copy_if(*kind, std::back_inserter(cells), [&](std::size_t cell) {
      return values_of(source, cell, model::Metric::qps).size() >= trials_least;
    });
  }
  if (cells.empty()) return std::nullopt;
  Figure figure{
      .id = "trials",
      .title = "Every trial",
      .reading =
          "A row is a cell, a dot one trial, as a multiple of the cell's median, which "
          "stands at the end. The bar is the interval of the median. Two clouds in a row "
          "are two states of a server, which a mean would hide.",
      .drawings = {},
      .numbers = {.headings = {"cell", "QPS of each trial", "p99 of each trial"}, .rows = {}}};
  RowChart chart{.text = {figure.id, figure.title,
                          "Dots for QPS and p99 of every trial, relative to the cell's median."},
                 .row_height = 24};
  for (const std::size_t cell : cells) {
    const std::string& key = source.run.cells[cell].key;
    chart.rows.push_back(key);
    figure.numbers.rows.push_back(
        {key, joined(values_of(source, cell, model::Metric::qps), model::Metric::qps),
         joined(values_of(source, cell, model::Metric::p99), model::Metric::p99)});
  }
  chart.panels = {dots_panel(source, cells, model::Metric::qps, "QPS, times the median"),
                  dots_panel(source, cells, model::Metric::p99, "p99, times the median")};
  figure.drawings.push_back(to_svg(chart));
  return figure;
}

}  // namespace rps::report
