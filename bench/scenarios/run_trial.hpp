// One trial: starts servers, connects a client, runs the load loop, and reads the resources that
// both sides used. Each trial starts new servers, so that differences between two starts of a
// server are part of the spread between trials.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "bench/load/loop.hpp"
#include "bench/machine/cpus.hpp"
#include "bench/model/target.hpp"
#include "bench/model/trial.hpp"

namespace rps::scenarios {

struct TrialOptions {
  model::Target target;
  model::Load load;
  Clock::duration warmup{};
  Clock::duration window{};
  Clock::duration interval = std::chrono::seconds(1);
  Clock::duration timeout = std::chrono::seconds(10);
  bool through_outages = false;  // See LoopOptions.
  std::uint64_t seed = 0;
  std::optional<machine::CpuPlan> cpus;  // Absent: nothing is pinned.
  std::filesystem::path binaries;        // Where rps-micro is.
  std::filesystem::path scratch;  // For the servers' logs (appended to) and a fleet's registry.
  std::string log_name;           // The log's file name there, without ".log".
  // Asked ten times a second; and with each interval as it ends.
  std::function<bool()> keep_going = [] { return true; };
  std::function<void(const load::Interval&)> interval_ended = [](const load::Interval&) {};
};

// Starts, connects, measures and stops. The error is what the server found this machine to lack.
// Any other start that fails, of server or client, is told in Trial::start_error; nothing is
// thrown.
std::expected<model::Trial, std::string> run_trial(const TrialOptions& options);

}  // namespace rps::scenarios
