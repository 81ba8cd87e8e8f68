#include "bench/report/compare_summary.hpp"

#include <cmath>
#include <functional>

#include "core/random.hpp"

namespace rps::load {

namespace {

using Figure = std::function<std::optional<double>(const Trial&)>;

std::optional<double> per_second(const Trial& trial) {
  return trial.per_second;
}
std::optional<double> cpu_us(const Trial& trial) {
  return trial.server_cpu_us_per_request;
}

std::vector<const CompareTrial*> trials_of(const CompareRun& run, std::size_t stage,
                                           std::size_t connections) {
  std::vector<const CompareTrial*> found;
  for (const CompareTrial& each : run.trials) {
    if (each.stage == stage && each.connections == connections) found.push_back(&each);
  }
  return found;
}

Estimate estimate_of(const std::vector<const CompareTrial*>& trials, const Figure& figure,
                     std::uint64_t seed) {
  std::vector<double> values;
  for (const CompareTrial* each : trials) {
    const auto value = each->trial.valid ? figure(each->trial) : std::nullopt;
    if (value) values.push_back(*value);
  }
  return estimate(values, seed);
}

Row row_of(const CompareRun& run, std::size_t stage, std::size_t connections) {
  const auto trials = trials_of(run, stage, connections);
  const auto over = [&](const Figure& figure) {
    return estimate_of(trials, figure, mix(run.options.seed, stage));
  };
  Row row{.stage = stage,
          .connections = connections,
          .trials = trials.size(),
          .per_second = over(per_second),
          .mean_ns = over([](const Trial& trial) { return trial.mean_ns; }),
          .p50_ns = over([](const Trial& trial) { return trial.p50_ns; }),
          .p99_ns = over([](const Trial& trial) { return trial.p99_ns; }),
          .cpu_us = over(cpu_us),
          .server_cpu_share = over([](const Trial& trial) { return trial.server_cpu_share; }),
          .load_cpu_share = over([](const Trial& trial) { return trial.load_cpu_share; }),
          .other_cpu_share = over([](const Trial& trial) { return trial.other_cpu_share; })};
  for (const CompareTrial* each : trials) {
    const Trial& trial = each->trial;
    if (!trial.valid && ++row.invalid == 1) row.complaint = trial.complaint();
    if (trial.observer_active) {
      row.observer_active = row.observer_active.value_or(0) + (*trial.observer_active ? 1 : 0);
    }
  }
  return row;
}

// Ratios of the rounds in which both stages have a valid trial with this figure.
Estimate paired(const CompareRun& run, const Ratio& ratio, const Figure& figure) {
  std::vector<double> ours;
  std::vector<double> theirs;
  for (const CompareTrial* mine : trials_of(run, ratio.stage, ratio.connections)) {
    for (const CompareTrial* other : trials_of(run, ratio.previous, ratio.connections)) {
      if (mine->round != other->round || !mine->trial.valid || !other->trial.valid) continue;
      const auto a = figure(mine->trial);
      const auto b = figure(other->trial);
      if (!a || !b) continue;
      ours.push_back(*a);
      theirs.push_back(*b);
    }
  }
  return estimate_ratio(ours, theirs, mix(run.options.seed, ratio.stage));
}

}  // namespace

std::vector<Row> rows_of(const CompareRun& run) {
  std::vector<Row> rows;
  for (const std::size_t connections : run.options.connections) {
    for (std::size_t stage = 0; stage < run.options.stages.size(); ++stage) {
      rows.push_back(row_of(run, stage, connections));
    }
  }
  return rows;
}

std::vector<Ratio> ratios_of(const CompareRun& run) {
  std::vector<Ratio> ratios;
  for (const std::size_t connections : run.options.connections) {
    for (std::size_t stage = 1; stage < run.options.stages.size(); ++stage) {
      const double ours = run.options.stages[stage].claim.qps_value;
      const double theirs = run.options.stages[stage - 1].claim.qps_value;
      if (ours <= 0 || theirs <= 0) continue;
      Ratio ratio{.stage = stage,
                  .previous = stage - 1,
                  .connections = connections,
                  .claimed = ours / theirs};
      ratio.per_second = paired(run, ratio, per_second);
      ratio.cpu_us = paired(run, ratio, cpu_us);
      if (ratio.per_second.trials > 0) ratios.push_back(ratio);
    }
  }
  return ratios;
}

std::string verdict_on(double claimed, const Estimate& measured) {
  if (measured.contains(claimed) && measured.contains(1)) {
    return "cannot tell it from no difference";
  }
  if (measured.contains(claimed)) return "as claimed";
  if (measured.contains(1)) return "no difference measured";
  if ((claimed > 1) != (measured.median > 1)) return "the other way round";
  const bool is_less = std::abs(std::log(measured.median)) < std::abs(std::log(claimed));
  return is_less ? "the same way, but by less" : "the same way, and by more";
}

}  // namespace rps::load
