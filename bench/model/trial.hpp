// One trial: servers of its own, fresh; a client; a loop; and the account of both sides.
// Starting the servers anew each time turns what a restart changes into spread that can be seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/distribution.hpp"
#include "bench/load/loop.hpp"
#include "bench/machine/account.hpp"
#include "bench/machine/cpus.hpp"
#include "bench/model/target.hpp"

namespace rps::load {

struct TrialOptions {
  Target target;
  Load load;
  Clock::duration warmup{};
  Clock::duration window{};
  Clock::duration interval = std::chrono::seconds(1);
  Clock::duration timeout = std::chrono::seconds(10);
  std::uint64_t seed = 0;
  std::optional<CpuPlan> cpus;     // Absent: nothing is pinned.
  bool count_syscalls = true;      // In the warm-up, where the kernel lets us.
  std::filesystem::path binaries;  // Where rps-micro is.
  std::filesystem::path scratch;   // For the servers' logs (appended to) and a fleet's registry.
  std::string log_name;            // The log's file name there, without ".log".
  // Asked ten times a second; and with each interval as it ends.
  std::function<bool()> keep_going = [] { return true; };
  std::function<void(const Interval&)> interval_ended = [](const Interval&) {};
};

// What came of it. The distributions are those of Outcome.
struct Trial {
  // Why there is nothing to measure: the server or the client could not be started. Else empty.
  std::string start_error;

  Ending ending = Ending::finished;
  bool valid = false;  // Only then may the figures below be shown.
  Verdicts verdicts;
  std::uint64_t answered = 0;  // Right answers that came inside the window.
  std::uint64_t due = 0;
  std::uint64_t dropped = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t lost = 0;

  double seconds = 0;  // The window as it was.
  Distribution response, service, lateness, errors;
  double open_mean = 0;
  std::vector<Interval> series;

  // Of the window. The server's is absent when one of its processes is gone, or it has none.
  Usage load;
  std::optional<Usage> server;
  std::optional<double> other_cpu_share;  // What others took of the CPUs that are pinned.
  std::optional<double> stolen_share;     // What the hypervisor took of them.
  std::optional<double> bytes_sent_per_call, bytes_received_per_call;
  std::optional<double> syscalls_per_call;  // Of the server, in the warm-up.
  std::optional<bool> observer_active;      // Only of targets that have an observer.

  // Of an rps-micro benchmark: "ns" for one round of it, and its counters by name.
  std::map<std::string, double> micro;

  std::uint64_t good() const { return answered; }
  double good_per_second() const {
    return seconds > 0 ? static_cast<double>(answered) / seconds : 0;
  }

  // What went wrong, in one sentence; empty for a valid trial.
  std::string complaint() const;

  bool operator==(const Trial&) const = default;
};

Trial run_trial(const TrialOptions& options);

}  // namespace rps::load
