// One trial: a server of its own, fresh; a client; a closed loop; and the account of both sides.
// Starting the server anew each time turns what a restart changes into spread that can be seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/closed_loop.hpp"
#include "bench/load/cpus.hpp"

namespace rps::load {

// Whom to measure.
struct Target {
  // Started for the trial; prints the URL that reaches it. Empty when `url` says all.
  std::vector<std::string> server;
  std::string url;
  // Whether `server` was given an admin port whose rps_observer_active is to be looked at.
  bool has_observer = false;
};

struct TrialOptions {
  Target target;
  std::size_t connections = 1;
  Clock::duration warmup{};
  Clock::duration window{};
  std::uint64_t seed = 0;
  std::optional<CpuPlan> cpus;                             // Absent: nothing is pinned.
  std::filesystem::path stderr_file;                       // The server's log.
  std::function<bool()> keep_going = [] { return true; };  // Asked ten times a second.
};

// What came of it: numbers only, so that keeping thousands costs little.
struct Trial {
  // Why there is nothing to measure: the server or the client could not be started. Else empty.
  std::string start_error;

  Ending ending = Ending::finished;
  bool valid = false;  // Only then may the figures below be shown.
  Verdicts verdicts;
  std::uint64_t lost = 0;

  std::uint64_t requests = 0;  // Answered inside the window.
  double seconds = 0;          // The window as it was.
  double per_second = 0;
  double mean_ns = 0;
  std::optional<double> p50_ns, p90_ns, p99_ns, p999_ns;  // Absent when too few answers carry them.
  double max_ns = 0;

  // User and system time of the server's processes in the window; absent when they are gone.
  std::optional<double> server_cpu_us_per_request;
  std::optional<double> server_cpu_share;  // 1 is one whole CPU.
  double load_cpu_share = 0;               // The same of this process.
  std::optional<double> other_cpu_share;   // What others took of the CPUs that are pinned.
  std::uint64_t server_rss_peak_bytes = 0;
  std::optional<bool> observer_active;  // Only of targets that have an observer.

  // What went wrong, in one sentence; empty for a valid trial.
  std::string complaint() const;
};

Trial run_trial(const TrialOptions& options);

}  // namespace rps::load
