#include "bench/micro/baseline.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "bench/model/format.hpp"
#include "bench/model/statistics.hpp"
#include "bench/report/table.hpp"

namespace rps::micro {

namespace {

using Json = nlohmann::ordered_json;

constexpr int schema_version = 1;

Json environment_json(const machine::Environment& environment) {
  Json details = Json::object();
  for (const auto& [name, text] : environment.details) details[name] = text;
  return {{"date", environment.date},   {"kernel", environment.kernel},
          {"cpu", environment.cpu},     {"compiler", environment.compiler},
          {"build", environment.build}, {"revision", environment.revision},
          {"cores", environment.cores}, {"details", std::move(details)}};
}

// Throw Json::exception when a member is missing or of another kind.

machine::Environment environment_of(const Json& json) {
  machine::Environment environment{.date = json.at("date"),
                                   .kernel = json.at("kernel"),
                                   .cpu = json.at("cpu"),
                                   .compiler = json.at("compiler"),
                                   .build = json.at("build"),
                                   .revision = json.at("revision"),
                                   .cores = json.at("cores"),
                                   .details = {}};
  for (const auto& [name, text] : json.at("details").items()) {
    environment.details.emplace_back(name, text.get<std::string>());
  }
  return environment;
}

Baseline baseline_of(const Json& json) {
  Baseline baseline{.environment = environment_of(json.at("environment")), .times = {}};
  for (const auto& [name, times] : json.at("times").items()) {
    baseline.times[name] = times.get<std::vector<double>>();
  }
  return baseline;
}

// Whether a ratio of times is above, below or within the bounds of change_min.
Change direction_of(double ratio) {
  if (std::abs(ratio - 1) <= change_min) return Change::indistinguishable;
  return ratio > 1 ? Change::slower : Change::faster;
}

MicroChange change_between(const std::string& name, const std::vector<double>& before,
                           const std::vector<double>& now, double alpha) {
  MicroChange change{
      .name = name, .before_ns = model::median(before), .now_ns = model::median(now)};
  change.ratio = change.now_ns / change.before_ns;
  change.p = model::mann_whitney_p(before, now);
  const Change of_medians = direction_of(change.ratio);
  const Change of_best = direction_of(std::ranges::min(now) / std::ranges::min(before));
  if (change.p < alpha && of_medians == of_best) change.change = of_medians;
  return change;
}

std::vector<std::string> missing_in(const MicroTimes& these, const MicroTimes& others) {
  std::vector<std::string> names;
  for (const auto& [name, times] : these) {
    const auto other = others.find(name);
    if (!times.empty() && (other == others.end() || other->second.empty())) names.push_back(name);
  }
  return names;
}

// Ratios and probabilities tell with the digits behind the point.
std::string decimals(double value) {
  if (value < 0.0005) return "<0.001";
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.3f", value);
  return text.data();
}

std::string described(const machine::Environment& environment) {
  std::string details;
  for (const auto& [name, text] : environment.details) {
    if (name == "load average" && !text.empty()) details = ", load average " + text;
  }
  return environment.date + ", " + environment.cpu + ", " + std::to_string(environment.cores) +
         " cores, " + environment.kernel + ", " + environment.compiler + ", " + environment.build +
         ", revision " + environment.revision + details;
}

std::string listed(std::string_view heading, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::string text = "\n" + std::string(heading) + ": " + std::to_string(names.size()) + "\n";
  for (const std::string& name : names) text += "  " + name + "\n";
  return text;
}

}  // namespace

std::string to_json(const Baseline& baseline) {
  const Json json{{"schema_version", schema_version},
                  {"environment", environment_json(baseline.environment)},
                  {"times", baseline.times}};
  return json.dump(1) + "\n";
}

std::expected<Baseline, std::string> parse_baseline(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return std::unexpected("it is not JSON");
  try {
    if (json.at("schema_version") != schema_version) {
      return std::unexpected("its schema_version is not " + std::to_string(schema_version));
    }
    return baseline_of(json);
  } catch (const Json::exception& error) {
    return std::unexpected("it is no baseline: " + std::string(error.what()));
  }
}

std::string_view to_string(Change change) {
  switch (change) {
    case Change::indistinguishable: return "indistinguishable";
    case Change::faster: return "faster";
    case Change::slower: return "slower";
  }
  return "indistinguishable";
}

bool MicroComparison::has_slower() const {
  return std::ranges::find(changes, Change::slower, &MicroChange::change) != changes.end();
}

MicroComparison compare_micro(const MicroTimes& before, const MicroTimes& now, double alpha) {
  MicroComparison comparison{.changes = {},
                             .only_before = missing_in(before, now),
                             .only_now = missing_in(now, before),
                             .repetitions = 0};
  std::size_t fewest = std::numeric_limits<std::size_t>::max();
  for (const auto& [name, times] : before) {
    const auto other = now.find(name);
    if (times.empty() || other == now.end() || other->second.empty()) continue;
    comparison.changes.push_back(change_between(name, times, other->second, alpha));
    fewest = std::min({fewest, times.size(), other->second.size()});
  }
  if (!comparison.changes.empty()) comparison.repetitions = fewest;
  return comparison;
}

// Of the ways to choose n of 2 n ranks, two are as extreme as that.
std::size_t repetitions_for(double alpha) {
  std::size_t repetitions = 1;
  for (double p = 1; p >= alpha; ++repetitions) {
    const auto n = static_cast<double>(repetitions + 1);
    p *= n / (2 * (2 * n - 1));
  }
  return repetitions;
}

std::string render(const MicroComparison& comparison, const machine::Environment& before,
                   const machine::Environment& now) {
  report::Table table{.columns = {{.heading = "benchmark", .width = 44},
                                  {.heading = "before", .width = 9, .is_number = true},
                                  {.heading = "now", .width = 9, .is_number = true},
                                  {.heading = "ratio", .width = 6, .is_number = true},
                                  {.heading = "p", .width = 6, .is_number = true},
                                  {.heading = "verdict", .width = 17}}};
  for (const MicroChange& change : comparison.changes) {
    table.rows.push_back(
        {.cells = {change.name, model::format_nanoseconds(change.before_ns),
                   model::format_nanoseconds(change.now_ns), decimals(change.ratio),
                   decimals(change.p), std::string(to_string(change.change))}});
  }
  std::string text = table.render();
  text += listed("Not run now", comparison.only_before);
  text += listed("Not in the baseline", comparison.only_now);
  text += "\nbefore  " + described(before) + "\nnow     " + described(now) + "\n";
  return text;
}

}  // namespace rps::micro
