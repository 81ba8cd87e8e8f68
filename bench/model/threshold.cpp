#include "bench/model/threshold.hpp"

#include <algorithm>
#include <span>

#include "bench/model/format.hpp"
#include "core/number.hpp"

namespace rps::model {

namespace {

// How the limit of a metric is written.
struct Spelling {
  std::span<const Scale> units;
  double bare = 1;     // What a number without a unit is multiplied by; 0: it needs a unit.
  double divisor = 1;  // From the base of `units` to the unit of the metric.
};

Spelling spelling_of(Unit unit) {
  switch (unit) {
    case Unit::per_second:
    case Unit::count: return {.units = rate_units};
    case Unit::nanoseconds: return {.units = duration_units, .bare = 0};
    case Unit::microseconds: return {.units = duration_units, .bare = 1e3, .divisor = 1e3};
    case Unit::bytes: return {.units = size_units};
    case Unit::share: return {.units = share_units};
  }
  return {};
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::string listed(const Spelling& spelling) {
  std::string names = spelling.bare > 0 ? "none" : "";
  for (const Scale& scale : spelling.units) {
    names.append(names.empty() ? "" : ", ").append(scale.name);
  }
  return names;
}

// "5ms", "10k", "0.1%".
std::expected<double, std::string> parse_limit(std::string_view text, Unit unit) {
  std::string_view rest = text;
  const auto number = take_number<double>(rest);
  const std::string quoted = "'" + std::string(text) + "'";
  if (!number || *number < 0) {
    return std::unexpected(quoted + " does not begin with a number that is not negative");
  }
  const Spelling spelling = spelling_of(unit);
  const auto factor = rest.empty() && spelling.bare > 0 ? std::optional(spelling.bare)
                                                        : factor_of(spelling.units, rest);
  if (!factor) {
    return std::unexpected("the unit of " + quoted + " must be one of: " + listed(spelling));
  }
  return *number * *factor / spelling.divisor;
}

struct Sides {
  std::string_view left;
  Relation relation = Relation::less;
  std::string_view right;
};

std::optional<Sides> split(std::string_view text) {
  const std::size_t at = text.find_last_of("<>");
  if (at == std::string_view::npos) return std::nullopt;
  const bool or_equal = text.substr(at + 1).starts_with('=');
  const bool is_less = text[at] == '<';
  const Relation strict = is_less ? Relation::less : Relation::greater;
  const Relation loose = is_less ? Relation::less_or_equal : Relation::greater_or_equal;
  return Sides{.left = trimmed(text.substr(0, at)),
               .relation = or_equal ? loose : strict,
               .right = trimmed(text.substr(at + (or_equal ? 2 : 1)))};
}

bool is_about(const Threshold& threshold, const Cell& cell) {
  return threshold.cell.empty() || threshold.cell == cell.key || threshold.cell == cell.subject;
}

bool was_measured(const Run& run, std::size_t cell) {
  return std::ranges::any_of(
      run.trials, [cell](const CellTrial& each) { return each.cell == cell && each.trial.valid; });
}

std::string formatted_range(Metric metric, const Estimate& estimate) {
  return format_metric(metric, estimate.low) + " – " + format_metric(metric, estimate.high);
}

// Why no cell that the threshold is about has its figure.
std::string why_nowhere(const Run& run, const Threshold& threshold) {
  for (std::size_t cell = 0; cell < run.cells.size(); ++cell) {
    if (is_about(threshold, run.cells[cell])) return why_absent(run, cell, threshold.metric);
  }
  return why_not_measured(run, threshold.cell);
}

void check(const Run& run, const Threshold& threshold, std::vector<ThresholdResult>& results) {
  const std::size_t before = results.size();
  for (std::size_t cell = 0; cell < run.cells.size(); ++cell) {
    if (!is_about(threshold, run.cells[cell])) continue;
    const Estimate estimate = estimate_of(run, cell, threshold.metric);
    const bool says_nothing =
        estimate.trials == 0 && threshold.cell.empty() && was_measured(run, cell);
    if (says_nothing) continue;
    results.push_back({.threshold = threshold,
                       .cell = run.cells[cell].key,
                       .estimate = estimate,
                       .passed = estimate.trials > 0 && threshold.holds(estimate.median),
                       .why = why_absent(run, cell, threshold.metric)});
  }
  // A limit that applies to no cell has not passed.
  if (results.size() == before) {
    results.push_back(
        {.threshold = threshold, .cell = "", .estimate = {}, .why = why_nowhere(run, threshold)});
  }
}

}  // namespace

bool Threshold::holds(double value) const {
  switch (relation) {
    case Relation::less: return value < limit;
    case Relation::less_or_equal: return value <= limit;
    case Relation::greater: return value > limit;
    case Relation::greater_or_equal: return value >= limit;
  }
  return false;
}

namespace {

std::string metric_names() {
  std::string names;
  for (const MetricInfo& metric : all_metrics) {
    names.append(names.empty() ? "" : ", ").append(metric.key);
  }
  return names;
}

}  // namespace

std::expected<Threshold, std::string> parse_threshold(std::string_view text) {
  const auto sides = split(text);
  if (!sides) {
    return std::unexpected("'" + std::string(text) +
                           "' is no threshold: it has neither < nor >, as in p99<5ms");
  }
  const std::size_t colon = sides->left.rfind(':');
  const bool has_cell = colon != std::string_view::npos;
  const std::string_view name = trimmed(has_cell ? sides->left.substr(colon + 1) : sides->left);
  const auto metric = parse_metric(name);
  if (!metric) {
    return std::unexpected("'" + std::string(name) + "' in '" + std::string(text) +
                           "' is nothing that is measured; there are " + metric_names());
  }
  const auto limit = parse_limit(trimmed(sides->right), info(*metric).unit);
  if (!limit) return std::unexpected(limit.error());
  return Threshold{.text = std::string(trimmed(text)),
                   .cell = std::string(has_cell ? trimmed(sides->left.substr(0, colon)) : ""),
                   .metric = *metric,
                   .relation = sides->relation,
                   .limit = *limit};
}

std::string ThresholdResult::sentence() const {
  const Metric metric = threshold.metric;
  const std::string key(info(metric).key);
  if (cell.empty()) {
    return "no cell has " + key + ", for which " + threshold.text + " was asked: " + why;
  }
  std::string text = cell + ": " + key + " ";
  if (estimate.trials == 0) return text + "must be " + threshold.text + ", and is absent: " + why;
  text += "is " + format_metric(metric, estimate.median);
  if (estimate.trials > 1) text += " (" + formatted_range(metric, estimate) + ")";
  return text + (passed ? ", as asked: " : ", which breaks ") + threshold.text;
}

std::vector<ThresholdResult> check_thresholds(const Run& run,
                                              const std::vector<Threshold>& thresholds) {
  std::vector<ThresholdResult> results;
  for (const Threshold& threshold : thresholds) check(run, threshold, results);
  return results;
}

}  // namespace rps::model
