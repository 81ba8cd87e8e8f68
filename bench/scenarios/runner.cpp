#include "bench/scenarios/runner.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <set>
#include <utility>

#include "bench/model/format.hpp"
#include "bench/model/summary.hpp"
#include "bench/scenarios/run_trial.hpp"
#include "bench/scenarios/subjects.hpp"
#include "bench/scenarios/targets.hpp"
#include "core/random.hpp"

namespace rps::scenarios {

namespace {

// From a trial's beginning to its end, beside warm-up and window: start, connect, drain, stop.
constexpr double trial_overhead_seconds = 0.35;

Clock::duration to_duration(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// Fisher and Yates, with our own generator: the order is the same on every standard library.
std::vector<std::size_t> shuffled(std::vector<std::size_t> order, std::uint64_t seed) {
  for (std::size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[below(static_cast<std::uint32_t>(left), mix(seed, left))]);
  }
  return order;
}

std::string summary_of(const model::Trial& trial) {
  if (!trial.valid) return "INVALID: " + trial.complaint();
  if (!trial.micro.empty()) return model::format_nanoseconds(trial.micro.at("ns"));
  return model::format_rate(trial.good_per_second()) + "/s, mean " +
         model::format_nanoseconds(trial.response.mean_ns);
}

class Runner {
 public:
  Runner(Measurement& measurement, const std::vector<PlannedCell>& cells)
      : run_(measurement.run),
        cells_(cells),
        options_(measurement.options),
        interrupt_(measurement.interrupt),
        first_cell_(run_.cells.size()),
        progress_(options_.progress, trials(), seconds()) {
    for (const PlannedCell& planned : cells) run_.cells.push_back(planned.cell);
  }

  void run() {
    for (std::size_t round = 0; round < rounds(); ++round) {
      for (const std::size_t cell : order_of(round)) {
        if (!run_cell(cell, round)) return;
      }
    }
  }

 private:
  std::size_t rounds() const {
    return cells_.empty() ? 0 : std::ranges::max(cells_, {}, &PlannedCell::rounds).rounds;
  }

  std::size_t trials() const {
    return std::accumulate(
        cells_.begin(), cells_.end(), std::size_t{0},
        [](std::size_t sum, const PlannedCell& planned) { return sum + planned.rounds; });
  }

  double seconds_of(const PlannedCell& planned) const {
    const load::Schedule& schedule = planned.cell.load.schedule;
    const double window = schedule.is_closed() ? run_.plan.seconds : schedule.seconds();
    return run_.plan.warmup + window + trial_overhead_seconds;
  }

  double seconds() const {
    double sum = 0;
    for (const PlannedCell& planned : cells_) {
      sum += static_cast<double>(planned.rounds) * seconds_of(planned);
    }
    return sum;
  }

  std::vector<std::size_t> order_of(std::size_t round) const {
    std::vector<std::size_t> taking_part;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      if (round < cells_[i].rounds) taking_part.push_back(i);
    }
    auto order = shuffled(std::move(taking_part), mix(mix(run_.plan.seed, first_cell_), round));
    if (round == 0) {
      std::ranges::partition(order, [&](std::size_t i) { return !cells_[i].cell.is_floor; });
    }
    return order;
  }

  // False when the run was interrupted; the trial it cut short is kept if its cell has no other.
  bool run_cell(std::size_t index, std::size_t round) {
    const PlannedCell& planned = cells_[index];
    progress_.begin("round " + std::to_string(round + 1) + "/" + std::to_string(rounds()) + "  " +
                        planned.cell.key,
                    seconds_of(planned));
    if (cannot_start_.contains(planned.cell.subject)) {
      progress_.end("left out: it could not be measured in an earlier trial");
      return true;
    }
    auto measured = run_trial(trial_options(planned, round));
    run_.interrupted = interrupt_.requested();
    if (!measured && planned.is_optional) {
      cannot_start_.insert(planned.cell.subject);
      progress_.end("left out: " + measured.error());
      run_.left_out.push_back({.subject = planned.cell.subject, .why = measured.error()});
      return !run_.interrupted;
    }
    model::Trial trial =
        measured ? *std::move(measured) : model::Trial{.start_error = std::move(measured.error())};
    if (!trial.start_error.empty()) cannot_start_.insert(planned.cell.subject);
    progress_.end(summary_of(trial));
    if (round == 0) fit_floors_of(planned.cell, trial);
    if (run_.interrupted && round > 0) return false;
    run_.trials.push_back({.cell = first_cell_ + index,
                           .round = round,
                           .order = run_.trials.size(),
                           .trial = std::move(trial)});
    return !run_.interrupted;
  }

  // Of the floors of `stage` at its load, those that no other stage was found for.
  void fit_floors_of(const model::Cell& stage, const model::Trial& trial) {
    const auto request = model::figure(trial, stage, model::Metric::bytes_sent);
    const auto reply = model::figure(trial, stage, model::Metric::bytes_received);
    if (stage.floor.empty() || !request || !reply || !model::tells_bytes(trial, stage)) return;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const model::Subject* const subject = find_subject(cells_[i].cell.subject);
      if (subject == nullptr || cells_[i].cell.load != stage.load) continue;
      const std::string_view key = subject->moves_like.empty() ? subject->key : subject->moves_like;
      if (key != stage.floor || !fitted_.insert(i).second) continue;
      fit_floor(cells_[i], *subject, options_.binaries, run_.plan.seed,
                {.request = *request, .reply = *reply});
      run_.cells[first_cell_ + i].command = cells_[i].cell.command;
    }
  }

  TrialOptions trial_options(const PlannedCell& planned, std::size_t round) {
    return {.target = planned.target,
            .load = planned.cell.load,
            .warmup = to_duration(run_.plan.warmup),
            .window = to_duration(run_.plan.seconds),
            .interval = options_.interval,
            .timeout = options_.timeout,
            .through_outages = options_.through_outages,
            // The same moves for every cell of a round, others in the next.
            .seed = mix(run_.plan.seed, round),
            .cpus = run_.plan.cpus,
            .binaries = options_.binaries,
            .scratch = options_.out,
            .log_name = planned.cell.subject,
            .keep_going =
                [this] {
                  progress_.tick();
                  return !interrupt_.requested();
                },
            .interval_ended = [this](const load::Interval& each) { progress_.interval(each); }};
  }

  model::Run& run_;
  std::vector<PlannedCell> cells_;
  const RunnerOptions& options_;
  Interrupt& interrupt_;
  std::size_t first_cell_;
  std::set<std::string> cannot_start_;  // Subjects.
  std::set<std::size_t> fitted_;        // Of `cells_`, the floors that got the bytes of a stage.
  report::Progress progress_;
};

}  // namespace

void run_cells(Measurement& measurement, const std::vector<PlannedCell>& cells) {
  Runner(measurement, cells).run();
}

}  // namespace rps::scenarios
