#include "bench/report/html_figure.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "bench/model/format.hpp"
#include "bench/model/summary.hpp"

namespace rps::report {

namespace {

constexpr model::Load main_load{.connections = 64, .depth = 1, .schedule = {}};

bool is_known(const std::vector<FigureSubject>& subjects, std::string_view key) {
  return std::ranges::find(subjects, key, &FigureSubject::key) != subjects.end();
}

// The stages take the looks in turn, and the floors the grey ones.
void add_subjects(const model::Run& run, bool floors, std::vector<FigureSubject>& subjects) {
  std::size_t index = 0;
  for (const model::Cell& cell : run.cells) {
    if (cell.is_floor != floors || is_known(subjects, cell.subject)) continue;
    subjects.push_back(
        {.key = cell.subject, .name = cell.name, .look = {.index = index++, .is_neutral = floors}});
  }
}

bool was_called(const model::Run& run, std::size_t cell) {
  return std::ranges::any_of(run.trials, [&](const model::CellTrial& each) {
    return each.cell == cell && each.trial.response.count > 0;
  });
}

// The first cell of every subject among `cells`, in the order of `subjects`.
std::vector<std::size_t> one_a_subject(const FigureSource& source,
                                       const std::vector<std::size_t>& cells,
                                       const std::function<bool(std::size_t)>& wanted) {
  std::vector<std::size_t> out;
  for (const FigureSubject& subject : source.subjects) {
    const auto found = std::ranges::find_if(cells, [&](std::size_t cell) {
      return source.run.cells[cell].subject == subject.key && wanted(cell);
    });
    if (found != cells.end()) out.push_back(*found);
  }
  return out;
}

std::vector<std::size_t> with_load(const FigureSource& source,
                                   const std::vector<std::size_t>& cells, const model::Load& load) {
  return one_a_subject(source, cells,
                       [&](std::size_t cell) { return source.run.cells[cell].load == load; });
}

// Those under the load that most subjects share; of equals the first.
std::vector<std::size_t> under_one_load(const FigureSource& source,
                                        const std::vector<std::size_t>& cells) {
  std::vector<std::size_t> best;
  for (const std::size_t cell : cells) {
    std::vector<std::size_t> shared = with_load(source, cells, source.run.cells[cell].load);
    if (shared.size() > best.size()) best = std::move(shared);
  }
  return best;
}

std::vector<std::size_t> closed_cells(const FigureSource& source) {
  std::vector<std::size_t> usual = with_load(source, source.closed, main_load);
  return usual.empty() ? under_one_load(source, source.closed) : usual;
}

std::vector<std::size_t> open_cells(const FigureSource& source) {
  std::vector<std::size_t> shared = under_one_load(source, source.open);
  const std::vector<std::size_t> any =
      one_a_subject(source, source.open, [](std::size_t) { return true; });
  if (shared.size() == any.size()) return shared;
  // Each at the middle of its own rates.
  std::vector<std::size_t> out;
  for (const std::size_t first : any) {
    const auto series = std::ranges::find_if(source.rates, [&](const auto& cells) {
      return source.run.cells[cells.front()].subject == source.run.cells[first].subject;
    });
    out.push_back(series == source.rates.end() ? first : (*series)[series->size() / 2]);
  }
  return out;
}

// The cells of each subject for which `value` is something, ascending in it and without repeats,
// as far as they are like the subject's first.
std::vector<std::vector<std::size_t>> ladders(
    const FigureSource& source, const std::vector<std::size_t>& cells,
    const std::function<std::optional<double>(const model::Load&)>& value,
    const std::function<bool(const model::Load&, const model::Load&)>& alike) {
  std::vector<std::vector<std::size_t>> out;
  const auto value_of = [&](std::size_t cell) {
    return value(source.run.cells[cell].load).value_or(0);
  };
  for (const FigureSubject& subject : source.subjects) {
    std::vector<std::size_t> ladder;
    for (const std::size_t cell : cells) {
      const model::Cell& each = source.run.cells[cell];
      if (each.subject != subject.key || !value(each.load)) continue;
      if (ladder.empty() || alike(source.run.cells[ladder.front()].load, each.load)) {
        ladder.push_back(cell);
      }
    }
    std::ranges::sort(ladder, {},
                      [&](std::size_t cell) { return std::pair(value_of(cell), cell); });
    const auto repeats = std::ranges::unique(ladder, {}, value_of);
    ladder.erase(repeats.begin(), repeats.end());
    if (ladder.size() > 1) out.push_back(std::move(ladder));
  }
  return out;
}

constexpr std::size_t phases_told = 4;  // More are counted.

// "10 s at 2.00k/s, 10 s at 2.00k–8.00k/s"
std::string phases_words(const std::vector<load::Phase>& phases) {
  if (phases.size() > phases_told) return std::to_string(phases.size()) + " phases";
  std::string words;
  for (const load::Phase& phase : phases) {
    if (!words.empty()) words += ", ";
    words += without_zeros(model::format_number(phase.seconds)) + " s at " +
             model::format_rate(phase.from_per_second);
    if (phase.from_per_second != phase.to_per_second) {
      words += "–" + model::format_rate(phase.to_per_second);
    }
    words += "/s";
  }
  return words;
}

}  // namespace

FigureSource::FigureSource(const model::Run& of) : run(of) {
  add_subjects(run, false, subjects);
  add_subjects(run, true, subjects);
  for (std::size_t cell = 0; cell < run.cells.size(); ++cell) {
    if (!was_called(run, cell)) continue;
    (run.cells[cell].load.schedule.is_closed() ? closed : open).push_back(cell);
  }
  rates = ladders(*this, open, rate_of, [](const model::Load& a, const model::Load& b) {
    return a.lanes() == b.lanes() && a.schedule.arrivals == b.schedule.arrivals &&
           a.schedule.burst == b.schedule.burst;
  });
  concurrencies = ladders(
      *this, closed,
      [](const model::Load& load) { return std::optional(static_cast<double>(load.lanes())); },
      [](const model::Load&, const model::Load&) { return true; });
  main_closed = closed_cells(*this);
  main_open = open_cells(*this);
}

const FigureSubject& FigureSource::subject_of(std::size_t cell) const {
  return *std::ranges::find(subjects, run.cells[cell].subject, &FigureSubject::key);
}

std::optional<model::Estimate> FigureSource::estimate(std::size_t cell,
                                                      model::Metric metric) const {
  const model::Estimate found = model::estimate_of(run, cell, metric);
  if (found.trials == 0 || !std::isfinite(found.median)) return std::nullopt;
  return found;
}

std::vector<const model::Trial*> FigureSource::valid_trials(std::size_t cell) const {
  std::vector<const model::Trial*> out;
  for (const model::CellTrial& each : run.trials) {
    if (each.cell == cell && each.trial.valid) out.push_back(&each.trial);
  }
  return out;
}

std::string load_words(const model::Load& load) {
  if (const auto rate = rate_of(load)) {
    const bool is_poisson = load.schedule.arrivals == load::Arrivals::poisson;
    return std::string(is_poisson ? "Poisson arrivals" : "even arrivals") + ", " +
           model::format_rate(*rate) + "/s";
  }
  if (!load.schedule.is_closed()) return phases_words(load.schedule.phases);
  std::string words = std::to_string(load.connections) + " connection";
  if (load.connections != 1) words += 's';
  if (load.depth > 1) words += " × " + std::to_string(load.depth) + " calls";
  return words;
}

std::optional<double> rate_of(const model::Load& load) {
  const std::vector<load::Phase>& phases = load.schedule.phases;
  if (phases.size() != 1) return std::nullopt;
  const load::Phase& only = phases.front();
  if (only.from_per_second != only.to_per_second) return std::nullopt;
  return only.from_per_second;
}

std::span<const std::size_t> drawn(const std::vector<std::size_t>& cells) {
  return std::span(cells).first(std::min(cells.size(), look_count));
}

std::string not_drawn(const std::vector<std::size_t>& cells) {
  if (cells.size() <= look_count) return {};
  return " The first " + std::to_string(look_count) + " of " + std::to_string(cells.size()) +
         " are drawn; the numbers below have all.";
}

std::string text_of(const std::optional<model::Estimate>& estimate, model::Metric metric) {
  return estimate ? model::format_metric(metric, estimate->median) : "–";
}

std::string range_of(const std::optional<model::Estimate>& estimate, model::Metric metric) {
  if (!estimate) return "–";
  return model::format_metric(metric, estimate->median) + " (" +
         model::format_metric(metric, estimate->low) + "–" +
         model::format_metric(metric, estimate->high) + ")";
}

}  // namespace rps::report
