#include "bench/model/run.hpp"

#include <algorithm>

namespace rps::model {

namespace {

using Figure = std::optional<double>;

constexpr double micro_per_second = 1e6;

// Nothing when the denominator is.
Figure share(double part, double whole) {
  return whole > 0 ? Figure(part / whole) : std::nullopt;
}

Figure per_call(const Trial& trial, double total) {
  return share(total, static_cast<double>(trial.answered));
}

Figure per_second(const Trial& trial, double total) {
  return share(total, trial.seconds);
}

Figure mean_of(const load::Distribution& distribution) {
  return distribution.count > 0 ? Figure(distribution.mean_ns) : std::nullopt;
}

Figure max_of(const load::Distribution& distribution) {
  return distribution.count > 0 ? Figure(distribution.max_ns) : std::nullopt;
}

// "ns", or a counter of an rps-micro benchmark.
Figure micro_of(const Trial& trial, const char* name) {
  const auto found = trial.micro.find(name);
  return found == trial.micro.end() ? std::nullopt : Figure(found->second);
}

double rounds(const Trial& trial, const Cell& cell) {
  return static_cast<double>(trial.answered) * static_cast<double>(cell.rounds_per_call);
}

Figure qps_of(const Trial& trial, const Cell& cell) {
  return trial.answered > 0 ? per_second(trial, rounds(trial, cell)) : std::nullopt;
}

Figure offered_of(const Trial& trial, const Cell& cell) {
  if (cell.load.schedule.is_closed()) return std::nullopt;
  return per_second(trial,
                    static_cast<double>(trial.due) * static_cast<double>(cell.rounds_per_call));
}

Figure dropped_share_of(const Trial& trial, const Cell& cell) {
  if (cell.load.schedule.is_closed()) return std::nullopt;
  return share(static_cast<double>(trial.dropped), static_cast<double>(trial.due));
}

// A function has no calls.
Figure due_of(const Trial& trial, double count) {
  return trial.due > 0 ? Figure(count) : std::nullopt;
}

// A call that was given up, and one that never was answered, had no verdict.
Figure error_share_of(const Trial& trial) {
  const std::uint64_t unanswered = trial.timed_out + trial.lost;
  return share(static_cast<double>(trial.verdicts.not_right() + unanswered),
               static_cast<double>(trial.verdicts.total() + unanswered));
}

// What of a process's usage, in the unit of the figure.
using Part = double (*)(const machine::Usage&);

double cpu_seconds(const machine::Usage& usage) {
  return usage.cpu_seconds();
}
double cpu_us(const machine::Usage& usage) {
  return usage.cpu_seconds() * micro_per_second;
}
double user_us(const machine::Usage& usage) {
  return usage.user_seconds * micro_per_second;
}
double system_us(const machine::Usage& usage) {
  return usage.system_seconds * micro_per_second;
}
double switches(const machine::Usage& usage) {
  return static_cast<double>(usage.voluntary_switches + usage.involuntary_switches);
}
double rss_peak(const machine::Usage& usage) {
  return static_cast<double>(usage.rss_peak_bytes);
}
double threads(const machine::Usage& usage) {
  return static_cast<double>(usage.threads);
}

// Of the server in the window; nothing where that is not known.
Figure server(const Trial& trial, Part part) {
  return trial.server ? Figure(part(*trial.server)) : std::nullopt;
}
Figure server_per_call(const Trial& trial, Part part) {
  return trial.server ? per_call(trial, part(*trial.server)) : std::nullopt;
}
Figure server_share(const Trial& trial) {
  return trial.server ? per_second(trial, cpu_seconds(*trial.server)) : std::nullopt;
}
Figure qps_per_cpu_second(const Trial& trial, const Cell& cell) {
  return trial.server ? share(rounds(trial, cell), cpu_seconds(*trial.server)) : std::nullopt;
}

// Of a trial in which a server was killed or frozen, in ns.
Figure effect_of(const Trial& trial, std::optional<double> FaultEffect::* seconds) {
  if (!trial.fault || !((*trial.fault).*seconds)) return std::nullopt;
  return *((*trial.fault).*seconds) * 1e9;
}

Figure valid_figure(const Trial& trial, const Cell& cell, Metric metric) {
  switch (metric) {
    case Metric::qps: return qps_of(trial, cell);
    case Metric::mean: return mean_of(trial.response);
    case Metric::p50: return trial.response.supported_quantile_ns(0.5);
    case Metric::p90: return trial.response.supported_quantile_ns(0.9);
    case Metric::p99: return trial.response.supported_quantile_ns(0.99);
    case Metric::p999: return trial.response.supported_quantile_ns(0.999);
    case Metric::max: return max_of(trial.response);
    case Metric::service_p99: return trial.service.supported_quantile_ns(0.99);
    case Metric::lateness_p99: return trial.lateness.supported_quantile_ns(0.99);
    case Metric::cpu_us: return server_per_call(trial, cpu_us);
    case Metric::cpu_user_us: return server_per_call(trial, user_us);
    case Metric::cpu_system_us: return server_per_call(trial, system_us);
    case Metric::load_user_us: return per_call(trial, user_us(trial.load));
    case Metric::load_system_us: return per_call(trial, system_us(trial.load));
    case Metric::qps_per_cpu_second: return qps_per_cpu_second(trial, cell);
    case Metric::server_cpu: return server_share(trial);
    case Metric::load_cpu: return per_second(trial, cpu_seconds(trial.load));
    case Metric::other_cpu: return trial.other_cpu_share;
    case Metric::stolen: return trial.stolen_share;
    case Metric::switches: return server_per_call(trial, switches);
    case Metric::syscalls: return trial.syscalls_per_call;
    case Metric::bytes_sent: return trial.bytes_sent_per_call;
    case Metric::bytes_received: return trial.bytes_received_per_call;
    case Metric::rss_peak: return server(trial, rss_peak);
    case Metric::threads: return server(trial, threads);
    case Metric::offered: return offered_of(trial, cell);
    case Metric::dropped_share: return dropped_share_of(trial, cell);
    case Metric::error_share: return error_share_of(trial);
    case Metric::calls: return due_of(trial, static_cast<double>(trial.due));
    case Metric::failed_calls: return due_of(trial, static_cast<double>(trial.failed()));
    case Metric::longest_gap:
      return trial.fault ? Figure(trial.fault->gap_seconds * 1e9) : std::nullopt;
    case Metric::recovery: return effect_of(trial, &FaultEffect::recovered_seconds);
    case Metric::rejoin: return effect_of(trial, &FaultEffect::rejoined_seconds);
    case Metric::micro_ns: return micro_of(trial, "ns");
    case Metric::micro_bytes: return micro_of(trial, "bytes");
    case Metric::micro_allocations: return micro_of(trial, "allocations");
  }
  return std::nullopt;
}

bool is_of_function(Metric metric) {
  return metric >= Metric::micro_ns;
}

// A reason that was found while measuring.
std::string or_unknown(const std::string& why) {
  return why.empty() ? "the stored run does not say why" : why;
}

// The accounts that the figure is computed from are those of a server.
std::string why_server_lacks(const Trial& trial) {
  return trial.server ? "nothing was answered" : or_unknown(trial.why_no.server);
}

std::string why_no_effect(const Trial& trial, const std::string& why) {
  return trial.fault ? or_unknown(why) : "no server was killed or frozen";
}

std::string why_valid_lacks(const Trial& trial, const Cell& cell, Metric metric) {
  if (is_of_function(metric) != cell.load.is_function()) {
    return is_of_function(metric) ? "only functions have it" : "functions do not have it";
  }
  switch (metric) {
    case Metric::p50:
    case Metric::p90:
    case Metric::p99:
    case Metric::p999:
    case Metric::service_p99: return "fewer than ten answers are above it";
    case Metric::lateness_p99:
      return cell.load.schedule.is_closed() ? "only open loops have it"
                                            : "fewer than ten answers are above it";
    case Metric::cpu_us:
    case Metric::cpu_user_us:
    case Metric::cpu_system_us:
    case Metric::qps_per_cpu_second:
    case Metric::server_cpu:
    case Metric::switches:
    case Metric::rss_peak:
    case Metric::threads: return why_server_lacks(trial);
    case Metric::other_cpu:
    case Metric::stolen: return or_unknown(trial.why_no.machine);
    case Metric::syscalls: return or_unknown(trial.why_no.syscalls);
    case Metric::bytes_sent:
    case Metric::bytes_received: return or_unknown(trial.why_no.traffic);
    case Metric::offered:
    case Metric::dropped_share:
      return cell.load.schedule.is_closed() ? "only open loops have it" : "no call was due";
    case Metric::calls:
    case Metric::failed_calls: return "no call was due";
    case Metric::longest_gap: return why_no_effect(trial, {});
    case Metric::recovery: return why_no_effect(trial, trial.why_no.recovery);
    case Metric::rejoin: return why_no_effect(trial, trial.why_no.rejoin);
    case Metric::micro_ns:
    case Metric::micro_bytes:
    case Metric::micro_allocations: return "the benchmark does not count it";
    case Metric::qps:
    case Metric::mean:
    case Metric::max:
    case Metric::load_user_us:
    case Metric::load_system_us:
    case Metric::load_cpu:
    case Metric::error_share: return "nothing was answered";
  }
  return "nothing was answered";
}

}  // namespace

bool Run::all_valid() const {
  return !trials.empty() &&
         std::ranges::all_of(trials, [](const CellTrial& each) { return each.trial.valid; });
}

const Cell* Run::find(std::string_view key) const {
  const auto index = index_of(key);
  return index ? &cells[*index] : nullptr;
}

std::optional<std::size_t> Run::index_of(std::string_view key) const {
  const auto found = std::ranges::find(cells, key, &Cell::key);
  if (found == cells.end()) return std::nullopt;
  return static_cast<std::size_t>(found - cells.begin());
}

std::string cell_key(std::string_view subject, const Load& load) {
  std::string key(subject);
  if (load.is_function()) return key;
  key += "/" + std::to_string(load.connections) + "x" + std::to_string(load.depth);
  if (load.idle > 0) key += " +" + std::to_string(load.idle) + " idle";
  if (load.slow > 0) key += " +" + std::to_string(load.slow) + " slow";
  const load::Schedule& schedule = load.schedule;
  if (schedule.is_closed()) return key;
  key += schedule.arrivals == load::Arrivals::poisson ? " poisson " : " constant ";
  if (schedule.burst > 1) key += "bursts of " + std::to_string(schedule.burst) + " ";
  return key + to_string(schedule.phases);
}

std::size_t first_at_load(const Run& run, std::size_t cell) {
  const auto first = std::ranges::find(run.cells, run.cells[cell].load, &Cell::load);
  return static_cast<std::size_t>(first - run.cells.begin());
}

std::optional<std::size_t> floor_of(const Run& run, std::size_t cell) {
  const Cell& stage = run.cells[cell];
  return stage.floor.empty() ? std::nullopt : run.index_of(cell_key(stage.floor, stage.load));
}

std::optional<double> figure(const Trial& trial, const Cell& cell, Metric metric) {
  const bool tells_why = metric == Metric::error_share || metric == Metric::dropped_share;
  return trial.valid || tells_why ? valid_figure(trial, cell, metric) : std::nullopt;
}

bool can_have(const Cell& cell, Metric metric) {
  if (is_of_function(metric) != cell.load.is_function()) return false;
  const bool is_of_open_loop = metric == Metric::offered || metric == Metric::dropped_share;
  return !is_of_open_loop || !cell.load.schedule.is_closed();
}

std::string why_not_measured(const Run& run, std::string_view subject) {
  const auto found = std::ranges::find(run.left_out, subject, &LeftOut::subject);
  if (found != run.left_out.end()) return "not measured: " + found->why;
  if (run.interrupted) return "not measured: the run ended before";
  return "not measured: the run has no such cell";
}

std::string why_no_trial(const Run& run, std::size_t cell) {
  std::string why = why_not_measured(run, run.cells[cell].subject);
  for (const CellTrial& each : trials_of(run, cell)) {
    if (each.trial.valid) return {};
    why = "INVALID: " + each.trial.complaint();
  }
  return why;
}

std::string why_absent(const Trial& trial, const Cell& cell, Metric metric) {
  if (figure(trial, cell, metric)) return {};
  return trial.valid ? why_valid_lacks(trial, cell, metric) : "INVALID: " + trial.complaint();
}

std::string why_absent(const Run& run, std::size_t cell, Metric metric) {
  std::string why = why_no_trial(run, cell);
  for (const CellTrial& each : trials_of(run, cell)) {
    if (figure(each.trial, run.cells[cell], metric)) return {};
    if (!each.trial.valid || !why.empty()) continue;
    why = why_absent(each.trial, run.cells[cell], metric);
  }
  return why;
}

}  // namespace rps::model
