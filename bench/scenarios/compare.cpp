#include "bench/scenarios/compare.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>

#include "bench/model/summary.hpp"
#include "bench/scenarios/overload.hpp"
#include "bench/scenarios/subjects.hpp"
#include "bench/scenarios/tables.hpp"
#include "bench/scenarios/targets.hpp"
#include "bench/scenarios/trial_files.hpp"

namespace rps::scenarios {

namespace {

using namespace std::string_view_literals;

// Beside the loads of the tables: how throughput grows with connections.
constexpr std::array swept_connections{std::size_t{4}, std::size_t{16}, std::size_t{256}};
constexpr std::array swept_subjects{"jsonrpc"sv, "grpc-lean"sv, "ebpf-lean"sv};

// Open loops: at these shares of what each subject answered in its closed loop.
constexpr std::array open_subjects{"cli"sv, "jsonrpc"sv, "grpc-lean"sv, "ebpf-lean"sv};
constexpr std::array open_shares{0.25, 0.5, 0.75, 0.9, 1.1};

// Calls that an open loop may have open on each connection. A console answers one at a time.
std::size_t open_depth(std::string_view subject) {
  return subject == "cli" ? 1 : 16;
}

class Planner {
 public:
  Planner(Measurement& measurement, const CompareOptions& options)
      : run_(measurement.run), options_(options), binaries_(measurement.options.binaries) {}

  // A cell that several tables need is measured once, with the greatest number of rounds.
  void add(std::string_view subject_key, const model::Load& load, std::size_t rounds) {
    const model::Subject* const subject = find_subject(subject_key);
    if (subject == nullptr || is_left_out(subject_key)) return;
    std::string obstacle = obstacle_to(*subject);
    if (!obstacle.empty()) {
      run_.left_out.push_back({.subject = std::string(subject_key), .why = std::move(obstacle)});
      return;
    }
    PlannedCell wanted = named(*subject, binaries_, run_.plan.seed).at(load, rounds);
    wanted.is_optional = subject->server.has_observer || TrialFiles::are_for(wanted.target);
    const auto same = std::ranges::find_if(
        planned_, [&](const PlannedCell& planned) { return planned.cell.key == wanted.cell.key; });
    if (same != planned_.end()) {
      same->rounds = std::max(same->rounds, rounds);
    } else {
      planned_.push_back(std::move(wanted));
    }
  }

  void add_table(const report::TableSpec& table) {
    if (!table.is_measured()) return;
    const Profile& profile = options_.profile;
    for (const report::RowSpec& row : table.rows) {
      if (!row.missing.empty()) continue;
      for (const report::CellName& name : {row.cell, row.base}) {
        add(name.subject, name.load(profile.seconds),
            table.is_judged() ? profile.rounds : profile.minor_rounds);
      }
    }
  }

  std::vector<PlannedCell> take() { return std::move(planned_); }

 private:
  bool is_wanted(std::string_view subject) const {
    const auto& wanted = options_.subjects;
    return wanted.empty() || std::ranges::find(wanted, subject) != wanted.end();
  }

  std::string obstacle_to(const model::Subject& subject) const {
    if (!is_wanted(subject.key)) return "--subjects does not name it";
    std::string obstacle = why_not(subject, binaries_);
    const auto& cpus = run_.plan.cpus;
    if (obstacle.empty() && cpus && cpus->shared() && needs_two_cpus(subject)) {
      obstacle = "it needs two CPUs, and may use CPU " + std::to_string(cpus->load) + " only";
    }
    return obstacle;
  }

  bool is_left_out(std::string_view subject) const {
    return std::ranges::find(run_.left_out, subject, &model::LeftOut::subject) !=
           run_.left_out.end();
  }

  model::Run& run_;  // Gets what is left out, and why.
  const CompareOptions& options_;
  const std::filesystem::path& binaries_;
  std::vector<PlannedCell> planned_;
};

// What `subject` answered at the load of the claims; 0 when it was not measured.
double peak_of(const model::Run& run, std::string_view subject) {
  const auto cell =
      run.index_of(model::cell_key(subject, {.connections = report::connections_of_claims}));
  return cell ? model::estimate_of(run, *cell, model::Metric::qps).median : 0;
}

// To two digits, so that keys and commands stay readable.
double rounded(double rate) {
  const double step = std::pow(10, std::floor(std::log10(rate)) - 1);
  return std::round(rate / step) * step;
}

load::Schedule poisson(double per_second, double seconds) {
  return steady(load::Arrivals::poisson, rounded(per_second), seconds);
}

std::vector<PlannedCell> plan_tables(Measurement& measurement, const CompareOptions& options) {
  Planner planner(measurement, options);
  for (const std::string& key : measurement.run.tables)
    planner.add_table(*catalogue().find_table(key));
  if (options.tables.empty()) {
    for (const std::string_view subject : swept_subjects) {
      for (const std::size_t connections : swept_connections) {
        planner.add(subject, {.connections = connections}, options.profile.sweep_rounds);
      }
    }
  }
  return planner.take();
}

std::vector<PlannedCell> plan_open_loops(Measurement& measurement, const CompareOptions& options) {
  Planner planner(measurement, options);
  const double seconds = options.profile.open_seconds;
  for (const std::string_view subject : open_subjects) {
    const double peak = peak_of(measurement.run, subject);
    if (peak <= 0) continue;
    model::Load load{.connections = report::connections_of_claims, .depth = open_depth(subject)};
    for (const double share : open_shares) {
      load.schedule = poisson(share * peak, seconds);
      planner.add(subject, load, options.profile.sweep_rounds);
    }
    load.schedule = overload_schedule(rounded(peak / 2), rounded(peak * 2), seconds, seconds);
    planner.add(subject, load, 1);
  }
  return planner.take();
}

}  // namespace

std::vector<std::string> tables_of(const CompareOptions& options) {
  using report::Measured;
  if (!options.tables.empty()) return options.tables;
  std::vector<std::string> keys;
  for (const report::TableSpec& table : catalogue().tables) {
    const bool is_measured =
        table.measured == Measured::always ||
        (table.measured == Measured::when_published && options.profile.is_published);
    if (is_measured) keys.emplace_back(table.key);
  }
  return keys;
}

void run_compare(Measurement& measurement, const CompareOptions& options) {
  model::Run& run = measurement.run;
  const Profile& profile = options.profile;
  run.title = "Four architectures, one game";
  run.plan.profile = profile.name;
  run.plan.rounds = profile.rounds;
  run.plan.seconds = profile.seconds;
  run.plan.warmup = profile.warmup;
  run.tables = tables_of(options);
  run_cells(measurement, plan_tables(measurement, options));
  const bool has_open_loops = options.tables.empty() && profile.open_seconds > 0;
  if (run.interrupted || !has_open_loops) return;
  measurement.options.interval = std::chrono::milliseconds(100);
  run_cells(measurement, plan_open_loops(measurement, options));
}

}  // namespace rps::scenarios
