#include "bench/scenarios/run_trial.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include "bench/load/bystanders.hpp"
#include "bench/load/clients/connect.hpp"
#include "bench/load/limits.hpp"
#include "bench/machine/machine_cpu.hpp"
#include "bench/scenarios/fault.hpp"
#include "bench/scenarios/micro.hpp"
#include "bench/scenarios/servers.hpp"
#include "core/random.hpp"
#include "core/server/unsupported.hpp"

namespace rps::scenarios {

namespace {

double to_seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// Of the children that have ended and were waited for: where every call is a process.
machine::Usage read_ended_children() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  return {.user_seconds = to_seconds(used.ru_utime),
          .system_seconds = to_seconds(used.ru_stime),
          .voluntary_switches = static_cast<std::uint64_t>(used.ru_nvcsw),
          .involuntary_switches = static_cast<std::uint64_t>(used.ru_nivcsw),
          .rss_peak_bytes = static_cast<std::uint64_t>(used.ru_maxrss) * 1024};
}

// Which processes are the server's: processes that live as long as the trial, processes that are
// started for each call, this process, or none that the harness knows.
class ServerSide {
 public:
  ServerSide(const model::Target& target, const Servers& servers,
             const load::Connection& connection)
      : pids_(servers.pids()),
        comes_and_goes_(servers.url().find("spawn:") < url_scheme_max),
        has_relay_(servers.has_relay()) {
    if (pids_.empty()) pids_ = connection.children;
    if (pids_.empty()) pids_ = target.pids;
    if (pids_.empty() && servers.url().starts_with("inproc:")) pids_ = {::getpid()};
  }

  std::expected<machine::Usage, std::string> read() const {
    if (comes_and_goes_) return read_ended_children();
    if (pids_.empty()) return std::unexpected(std::string(unknown_processes));
    return machine::read_usage(pids_);
  }
  // Whether connections of this process move other bytes than the load's.
  bool has_relay() const { return has_relay_; }
  // Why there are no processes that live as long as the trial and are not this one; empty when
  // there are.
  std::string why_no_processes() const {
    if (is_this_process()) return "the server is rps-bench itself";
    if (comes_and_goes_) return "each call has a process of its own";
    return pids_.empty() ? std::string(unknown_processes) : std::string();
  }
  const std::vector<pid_t>& pids() const { return pids_; }
  bool is_this_process() const { return pids_ == std::vector<pid_t>{::getpid()}; }

 private:
  // "spawn:" and "cli+spawn:"; further on it is part of a path.
  static constexpr std::size_t url_scheme_max = 5;
  static constexpr std::string_view unknown_processes =
      "rps-bench did not start the server, and no --server-pid names its processes";

  std::vector<pid_t> pids_;
  bool comes_and_goes_;
  bool has_relay_;
};

constexpr std::string_view nothing_answered = "nothing was answered";

// The meters of both sides and of the machine, read when the window opens and closes.
class Accounts {
 public:
  Accounts(const ServerSide& server, const std::optional<machine::CpuPlan>& plan)
      : server_(server) {
    if (plan) pinned_ = {plan->server, plan->load};
    if (plan && plan->shared()) pinned_.pop_back();
  }

  void open() { at_open_ = read(); }
  void close() { at_close_ = read(); }

  void report(model::Trial& trial) const {
    if (trial.seconds <= 0) return;
    trial.load = machine::used_between(at_open_.load, at_close_.load);
    if (at_open_.server && at_close_.server) {
      trial.server = machine::used_between(*at_open_.server, *at_close_.server);
    } else {
      trial.why_no.server = (at_open_.server ? at_close_ : at_open_).server.error();
    }
    report_machine(trial);
    report_traffic(trial);
  }

 private:
  static constexpr const char* unread = "the trial ended before it was read";

  struct Reading {
    machine::Usage load;
    std::expected<machine::Usage, std::string> server = std::unexpected(unread);
    std::expected<machine::Traffic, std::string> traffic = std::unexpected(unread);
    double busy_seconds = 0;
    double stolen_seconds = 0;
  };

  Reading read() const {
    const std::array self{::getpid()};
    return {.load = machine::read_usage(self).value_or(machine::Usage{}),
            .server = server_.read(),
            .traffic = read_traffic(),
            .busy_seconds = machine::busy_seconds(pinned_),
            .stolen_seconds = machine::stolen_seconds(pinned_)};
  }

  std::expected<machine::Traffic, std::string> read_traffic() const {
    if (server_.is_this_process()) return std::unexpected(server_.why_no_processes());
    if (server_.has_relay()) {
      return std::unexpected("the relay before the slow instance moves bytes as well");
    }
    const machine::Traffic tcp = machine::read_tcp_traffic();
    if (tcp.sent > 0) return tcp;
    std::string why = server_.why_no_processes();
    if (!why.empty()) return std::unexpected(std::move(why));
    return machine::read_pipe_traffic(server_.pids());
  }

  void report_traffic(model::Trial& trial) const {
    if (!at_open_.traffic || !at_close_.traffic) {
      trial.why_no.traffic = (at_open_.traffic ? at_close_ : at_open_).traffic.error();
      return;
    }
    if (trial.answered == 0) {
      trial.why_no.traffic = nothing_answered;
      return;
    }
    const auto calls = static_cast<double>(trial.answered);
    const machine::Traffic moved = machine::moved_between(*at_open_.traffic, *at_close_.traffic);
    trial.bytes_sent_per_call = static_cast<double>(moved.sent) / calls;
    trial.bytes_received_per_call = static_cast<double>(moved.received) / calls;
  }

  void report_machine(model::Trial& trial) const {
    if (pinned_.empty()) {
      trial.why_no.machine = "rps-bench is tied to no CPU";
      return;
    }
    if (!trial.server && !server_.pids().empty()) {  // Theirs would seem to be that of others.
      trial.why_no.machine = trial.why_no.server;
      return;
    }
    if (at_close_.busy_seconds <= 0) {
      trial.why_no.machine = "/proc/stat does not tell of these CPUs";
      return;
    }
    const double ours =
        trial.load.cpu_seconds() +
        (trial.server && !server_.is_this_process() ? trial.server->cpu_seconds() : 0);
    const double busy = at_close_.busy_seconds - at_open_.busy_seconds;
    trial.other_cpu_share = std::max(0.0, busy - ours) / trial.seconds;
    trial.stolen_share = (at_close_.stolen_seconds - at_open_.stolen_seconds) / trial.seconds;
  }

  const ServerSide& server_;
  std::vector<int> pinned_;
  Reading at_open_;
  Reading at_close_;
};

// System calls of the server for each answer, counted until the window opens.
class WarmupSyscalls {
 public:
  explicit WarmupSyscalls(const ServerSide& server) : why_not_(server.why_no_processes()) {
    if (!why_not_.empty()) return;
    auto counter = machine::SyscallCounter::start(server.pids());
    if (counter) {
      counter_ = std::move(*counter);
    } else {
      why_not_ = std::move(counter.error());
    }
  }

  void add(const load::Interval& interval) { answers_ += interval.good + interval.bad; }

  void stop() {
    if (!counter_) return;
    if (answers_ > 0) {
      per_call_ = static_cast<double>(counter_->count()) / static_cast<double>(answers_);
    } else {
      why_not_ = "nothing was answered in the warm-up, in which they are counted";
    }
    counter_.reset();
  }

  std::optional<double> per_call() const { return per_call_; }
  const std::string& why_not() const { return why_not_; }

 private:
  std::optional<machine::SyscallCounter> counter_;
  std::string why_not_;  // Why they are not counted; else empty.
  std::uint64_t answers_ = 0;
  std::optional<double> per_call_;
};

model::Trial trial_of(load::Outcome&& outcome) {
  return {.ending = outcome.ending,
          .valid = outcome.valid,
          .verdicts = outcome.verdicts,
          .answered = outcome.good,
          .due = outcome.due,
          .dropped = outcome.dropped,
          .timed_out = outcome.timed_out,
          .lost = outcome.lost,
          .unanswered = outcome.unanswered,
          .connections = outcome.connections,
          .outages = outcome.outages,
          .seconds = outcome.seconds(),
          .response = load::Distribution(outcome.response),
          .service = load::Distribution(outcome.service),
          .lateness = load::Distribution(outcome.lateness),
          .errors = load::Distribution(outcome.errors),
          .open_mean = outcome.open_mean,
          .series = std::move(outcome.series)};
}

// Reading /proc takes a tenth of a millisecond, which would disturb short intervals.
void look_at_memory(const ServerSide& server, load::Interval& interval) {
  if (interval.seconds < 0.5) return;
  const auto usage = server.read();
  if (!usage) return;
  interval.rss_bytes = usage->rss_bytes;
  interval.open_files = usage->open_files;
}

// A server that the harness does not start may have played an earlier trial's sessions.
std::uint64_t session_names(const TrialOptions& options) {
  if (!options.target.server.empty()) return options.seed;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return mix(options.seed, static_cast<std::uint64_t>(now.count()));
}

load::LoopOptions loop_options(const TrialOptions& options, const Client& client) {
  const bool is_open = !options.load.schedule.is_closed();
  return {.slots = is_open ? client.in_flight_max() : options.load.slots(),
          .schedule = options.load.schedule,
          .judging = options.target.judging,
          .rounds_per_call = options.target.rounds_per_call,
          .warmup = options.warmup,
          .window = options.window,
          .drain_max = load::limits::drain_max,
          .timeout = options.timeout,
          .interval = options.interval,
          .through_outages = options.through_outages,
          .seed = options.seed,
          .sessions = session_names(options)};
}

// What happens to a server in the window, and when calls were answered meanwhile. Without a fault
// it does nothing.
class Failing {
 public:
  Failing(const TrialOptions& options, const Servers& servers)
      : fault_(options.target.fault), schedule_(options.load.schedule) {
    if (fault_ == model::Fault::none) return;
    if (servers.pids().empty() || schedule_.is_closed()) {
      throw std::invalid_argument("a server fails only where it was started, in an open loop");
    }
    injector_.emplace(fault_, servers);
  }

  // What the loop is to use in place of `client`.
  Client& watched(Client& client) {
    if (!injector_) return client;
    return log_.emplace(client, static_cast<std::size_t>(schedule_.calls()) * 2);
  }

  void open() {
    if (!injector_) return;
    opened_ = Clock::now();
    injector_->begin(std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(schedule_.seconds())));
  }
  void close() { closed_ = Clock::now(); }

  // Throws std::exception when the server that was killed did not start again.
  void report(model::Trial& trial) {
    if (!injector_) return;
    const FaultTimes times = injector_->finish();
    std::vector<Clock::time_point> answered = log_->answered();
    std::ranges::sort(answered);
    const double rate = schedule_.phases.front().from_per_second;
    trial.fault = judge_fault(times, answered, rate, opened_, closed_);
    trial.why_no.recovery = trial.fault && trial.fault->recovered_seconds
                                ? ""
                                : "the rate was not full again by the end of the window";
    if (fault_ == model::Fault::freeze) {
      trial.why_no.rejoin = "the server was not started again";
    } else if (!times.rejoined) {
      trial.why_no.rejoin = "it had answered no call by the end of the window";
    }
  }

 private:
  model::Fault fault_;
  const load::Schedule& schedule_;
  std::optional<FaultInjector> injector_;
  std::optional<AnswerLog> log_;
  Clock::time_point opened_, closed_;
};

model::Trial measure(const TrialOptions& options, const Servers& servers) {
  Failing failing(options, servers);  // Ends after the client, as the servers do.
  const ConnectOptions wanted{.connections = options.load.connections,
                              .depth = options.load.depth,
                              .timeout_max = load::limits::connect_max,
                              .outlasts_outages = options.through_outages};
  const load::Bystanders bystanders(servers.url(), options.load.idle, options.load.slow);
  load::Connection connection = load::connect(servers.url(), wanted);
  if (options.cpus) {
    for (const pid_t child : connection.children) machine::pin_process(child, options.cpus->server);
  }
  const ServerSide server(options.target, servers, connection);
  Accounts accounts(server, options.cpus);
  WarmupSyscalls syscalls(server);
  const load::LoopCallbacks callbacks{.window_opened =
                                          [&] {
                                            syscalls.stop();
                                            accounts.open();
                                            failing.open();
                                          },
                                      .window_closed =
                                          [&] {
                                            failing.close();
                                            accounts.close();
                                          },
                                      .interval_ended =
                                          [&](load::Interval& interval) {
                                            syscalls.add(interval);
                                            look_at_memory(server, interval);
                                            options.interval_ended(interval);
                                          },
                                      .keep_going = options.keep_going};
  Client& client = failing.watched(*connection.client);
  model::Trial trial = trial_of(load::run_loop(client, loop_options(options, client), callbacks));
  failing.report(trial);
  accounts.report(trial);
  trial.syscalls_per_call = syscalls.per_call();
  trial.why_no.syscalls = syscalls.why_not();
  trial.observer_active = servers.observer_active();
  return trial;
}

// A benchmark that is timed by the wall clock has two threads, so it may use both CPUs.
std::vector<int> cpus_of_function(const TrialOptions& options) {
  if (!options.cpus || !options.target.micro.ends_with(wall_clock_suffix)) {
    return machine::server_cpus(options.cpus);
  }
  return {options.cpus->server, options.cpus->load};
}

model::Trial time_function(const TrialOptions& options) {
  model::Trial trial;
  trial.micro = run_micro({.program = options.binaries / "rps-micro",
                           .benchmark = options.target.micro,
                           .seconds = std::chrono::duration<double>(options.window).count() / 2,
                           .cpus = cpus_of_function(options)});
  trial.valid = true;
  return trial;
}

}  // namespace

std::expected<model::Trial, std::string> run_trial(const TrialOptions& options) {
  try {
    if (!options.target.micro.empty()) return time_function(options);
    const Servers servers(options.target, {.cpus = machine::server_cpus(options.cpus),
                                           .scratch = options.scratch,
                                           .log_name = options.log_name});
    return measure(options, servers);
  } catch (const server::Unsupported& lack) {
    return std::unexpected(lack.what());
  } catch (const std::exception& failure) {
    return model::Trial{.start_error = failure.what()};
  }
}

}  // namespace rps::scenarios
