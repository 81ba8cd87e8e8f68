// What one trial measured: the answers, their times, and the accounts of server, load and machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/distribution.hpp"
#include "bench/load/loop.hpp"
#include "bench/machine/account.hpp"

namespace rps::model {

// Why an account of a trial is absent: a sentence where the reason was found, and empty where the
// account is there.
struct WhyNo {
  std::string server;    // Trial::server
  std::string machine;   // other_cpu_share and stolen_share
  std::string traffic;   // bytes_sent_per_call and bytes_received_per_call
  std::string syscalls;  // syscalls_per_call
  std::string recovery;  // FaultEffect::recovered_seconds
  std::string rejoin;    // FaultEffect::rejoined_seconds

  bool operator==(const WhyNo&) const = default;
};

// What became of the calls when one of the servers was killed or frozen. Times are seconds.
struct FaultEffect {
  double began_seconds = 0;  // Since the window opened: when it was killed or frozen, …
  double ended_seconds = 0;  // … and when it served again.
  double gap_seconds = 0;    // From the beginning on, the longest time without a right answer.
  // From the beginning until calls were answered at the full rate again.
  std::optional<double> recovered_seconds;
  // From the end until a server that was killed had answered a call.
  std::optional<double> rejoined_seconds;

  bool operator==(const FaultEffect&) const = default;
};

// The distributions are those of Outcome.
struct Trial {
  // Why there is nothing to measure: the server or the client could not be started. Else empty.
  std::string start_error;

  load::Ending ending = load::Ending::finished;
  bool valid = false;  // Only then may the figures below be shown.
  load::Verdicts verdicts;
  std::uint64_t answered = 0;  // Right answers that came inside the window.
  std::uint64_t due = 0;
  std::uint64_t dropped = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t lost = 0;
  std::uint64_t unanswered = 0;
  ConnectionCounts connections;
  load::Outages outages;

  double seconds = 0;  // The window as it was.
  load::Distribution response, service, lateness, errors;
  double open_mean = 0;
  std::vector<load::Interval> series;

  // Of the window. What is absent has its reason in `why_no`.
  machine::Usage load;
  std::optional<machine::Usage> server;
  std::optional<double> other_cpu_share;  // What others took of the CPUs that are pinned.
  std::optional<double> stolen_share;     // What the hypervisor took of them.
  std::optional<double> bytes_sent_per_call, bytes_received_per_call;
  std::optional<double> syscalls_per_call;  // Of the server, in the warm-up.
  WhyNo why_no;
  // Only of targets that have an observer; nothing when its server did not tell.
  std::optional<bool> observer_active;

  std::optional<FaultEffect> fault;  // Only of targets with a fault.

  // Of an rps-micro benchmark: "ns" for one round of it, and its counters by name.
  std::map<std::string, double> micro;

  std::uint64_t good() const { return answered; }
  // Calls of the window that got no right answer.
  std::uint64_t failed() const { return errors.count + timed_out + lost + dropped; }
  double good_per_second() const {
    return seconds > 0 ? static_cast<double>(answered) / seconds : 0;
  }

  // What went wrong, in one sentence; empty for a valid trial.
  std::string complaint() const;

  bool operator==(const Trial&) const = default;
};

}  // namespace rps::model
