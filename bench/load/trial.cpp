#include "bench/load/trial.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <stdexcept>
#include <utility>

#include "bench/load/connect.hpp"
#include "bench/load/limits.hpp"
#include "bench/load/machine_cpu.hpp"
#include "bench/load/process.hpp"
#include "bench/load/scrape.hpp"
#include "core/url.hpp"

namespace rps::load {

namespace {

// The server side of a trial: a process that listens, or the children behind a `cli:` URL, or
// nothing but this very process.
struct Server {
  std::unique_ptr<Process> process;
  std::string url;
  std::optional<HostPort> admin;
};

std::string read_line(Process& process, Clock::time_point deadline, const char* what) {
  auto line = process.read_line(deadline);
  if (!line) {
    throw std::runtime_error(std::string("the server did not print ") + what +
                             "; its log says why");
  }
  return *std::move(line);
}

HostPort parse_admin(const std::string& line) {
  constexpr std::string_view word = "admin ";
  const auto url = parse_url(line.starts_with(word) ? std::string_view(line).substr(word.size())
                                                    : std::string_view(line));
  if (!url) throw std::runtime_error("the server's second line names no admin port: " + line);
  return {.host = url->host, .port = url->port};
}

Server start_server(const TrialOptions& options) {
  const Target& target = options.target;
  if (target.server.empty()) return {.process = nullptr, .url = target.url, .admin = {}};

  Server server;
  std::optional<int> cpu;
  if (options.cpus) cpu = options.cpus->server;
  server.process = std::make_unique<Process>(
      ProcessOptions{.argv = target.server, .stderr_file = options.stderr_file, .cpu = cpu});
  const Clock::time_point deadline = Clock::now() + limits::start_max;
  server.url = read_line(*server.process, deadline, "its URL");
  if (target.has_observer) {
    server.admin = parse_admin(read_line(*server.process, deadline, "its admin port"));
  }
  return server;
}

// The processes whose CPU time and memory are the server's. Empty: it lives in this process.
std::vector<pid_t> pids_of(const Server& server, const Connection& connection) {
  if (server.process) return {server.process->pid()};
  return connection.children;
}

std::optional<std::chrono::nanoseconds> cpu_time_of(const std::vector<pid_t>& pids) {
  if (pids.empty()) return own_cpu_time();
  std::chrono::nanoseconds sum{};
  for (const pid_t pid : pids) {
    const auto used = cpu_time(pid);
    if (!used) return std::nullopt;
    sum += *used;
  }
  return sum;
}

std::optional<bool> ask_observer(const Server& server) {
  if (!server.admin) return std::nullopt;
  const auto text = http_get(*server.admin, "/metrics");
  return text && metric_value(*text, "rps_observer_active").value_or(0) > 0;
}

// The CPU clocks of both sides and of the machine, read when the window opens and closes.
class CpuAccount {
 public:
  CpuAccount(std::vector<pid_t> server, const std::optional<CpuPlan>& plan)
      : server_(std::move(server)) {
    if (plan) pinned_ = {plan->server, plan->load};
  }

  void open() { add(-1); }
  void close() { add(+1); }

  void report(const Outcome& outcome, Trial& trial) const {
    const double window = outcome.seconds();
    if (window <= 0) return;
    trial.load_cpu_share = load_used_ / window;
    if (!server_used_) return;
    trial.server_cpu_share = *server_used_ / window;
    if (!pinned_.empty()) {
      const double ours = load_used_ + (server_.empty() ? 0 : *server_used_);
      trial.other_cpu_share = std::max(0.0, busy_ - ours) / window;
    }
    if (outcome.latency.count() > 0) {
      trial.server_cpu_us_per_request =
          *server_used_ * 1e6 / static_cast<double>(outcome.latency.count());
    }
  }

 private:
  void add(int sign) {
    const auto used = cpu_time_of(server_);
    if (!used) server_used_.reset();
    if (server_used_) *server_used_ += sign * std::chrono::duration<double>(*used).count();
    load_used_ += sign * std::chrono::duration<double>(own_cpu_time()).count();
    busy_ += sign * busy_seconds(pinned_);
  }

  std::vector<pid_t> server_;  // Empty: the server lives in this process.
  std::vector<int> pinned_;
  std::optional<double> server_used_ = 0;  // Seconds, like the next two; absent once one is gone.
  double load_used_ = 0;
  double busy_ = 0;
};

void report_latency(const Outcome& outcome, Trial& trial) {
  const Histogram& latency = outcome.latency;
  const auto quantile = [&](double q) {
    const auto value = latency.supported_quantile(q);
    return value ? std::optional(static_cast<double>(value->count())) : std::nullopt;
  };
  trial.requests = latency.count();
  trial.seconds = outcome.seconds();
  trial.per_second = outcome.per_second();
  trial.mean_ns = latency.mean_ns();
  trial.p50_ns = quantile(0.5);
  trial.p90_ns = quantile(0.9);
  trial.p99_ns = quantile(0.99);
  trial.p999_ns = quantile(0.999);
  trial.max_ns = static_cast<double>(latency.max().count());
}

Trial measure(const TrialOptions& options, const Server& server) {
  const ConnectOptions wanted{
      .connections = options.connections, .depth = 1, .timeout_max = limits::connect_max};
  Connection connection = connect(server.url, wanted);
  const std::vector<pid_t> pids = pids_of(server, connection);
  if (options.cpus) {
    for (const pid_t child : connection.children) pin_process(child, options.cpus->server);
  }

  CpuAccount account(pids, options.cpus);
  const Onlooker onlooker{.window_opened = [&] { account.open(); },
                          .window_closed = [&] { account.close(); },
                          .keep_going = options.keep_going};
  const Outcome outcome = run_closed_loop(*connection.client,
                                          {.lanes = options.connections,
                                           .warmup = options.warmup,
                                           .window = options.window,
                                           .drain_max = limits::drain_max,
                                           .seed = options.seed},
                                          onlooker);
  Trial trial{.ending = outcome.ending,
              .valid = outcome.valid(),
              .verdicts = outcome.verdicts,
              .lost = outcome.lost};
  report_latency(outcome, trial);
  account.report(outcome, trial);
  for (const pid_t pid : pids) trial.server_rss_peak_bytes += peak_rss_bytes(pid).value_or(0);
  trial.observer_active = ask_observer(server);
  return trial;
}

}  // namespace

std::string Trial::complaint() const {
  if (!start_error.empty()) return start_error;
  if (ending == Ending::interrupted) return "interrupted";
  for (const Verdict verdict : all_verdicts) {
    const std::uint64_t count = verdicts.of(verdict);
    const bool is_mistake = verdict != Verdict::right && verdict != Verdict::refused;
    if (is_mistake && count > 0) {
      return "wrong answers: " + std::to_string(count) + " " + std::string(to_string(verdict));
    }
  }
  if (ending == Ending::broken) return "the server went away";
  if (verdicts.of(Verdict::refused) > 0) {
    return "refused calls: " + std::to_string(verdicts.of(Verdict::refused));
  }
  if (lost > 0) return "calls never answered: " + std::to_string(lost);
  return valid ? "" : "nothing was answered";
}

Trial run_trial(const TrialOptions& options) {
  try {
    const Server server = start_server(options);
    return measure(options, server);
  } catch (const std::exception& failure) {
    return {.start_error = failure.what()};
  }
}

}  // namespace rps::load
