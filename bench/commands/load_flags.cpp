#include "bench/commands/load_flags.hpp"

#include <CLI/CLI.hpp>

#include "bench/load/limits.hpp"

namespace rps::commands {

LoadFlags::LoadFlags(CLI::App& command) {
  command.add_option("--connections", connections_, "How many; several values are a sweep")
      ->delimiter(',')
      ->check(CLI::Range(std::size_t{1}, load::limits::connections_max))
      ->capture_default_str();
  command
      .add_option("--depth", depth_,
                  "Calls open at once on each connection, at most; an open loop drops what exceeds "
                  "connections times depth")
      ->check(CLI::Range(std::size_t{1}, load::limits::depth_max))
      ->capture_default_str();
  command.add_option("--rate", rates_,
                     "An open loop: calls a second (2000), a ramp (1000..5000), or phases "
                     "(5s@1000,10s@8000,5s@1000); may be given again for a sweep. Without it the "
                     "loop is closed");
  command.add_option("--arrivals", arrivals_, "How calls are spread over a rate")
      ->check(CLI::IsMember({"constant", "poisson"}))
      ->capture_default_str();
  command.add_option("--burst", burst_, "Calls that are due at the same instant")
      ->check(CLI::Range(std::size_t{1}, load::limits::burst_max))
      ->capture_default_str();
  command.add_option("--seconds", seconds_, "Measured seconds of a trial")
      ->check(CLI::Range(0.01, load::limits::trial_seconds_max))
      ->capture_default_str();
  command.add_option("--warmup", warmup_, "Seconds before those")
      ->check(CLI::Range(0.0, load::limits::trial_seconds_max))
      ->capture_default_str();
  command.add_option("--rounds", rounds_, "Interleaved rounds; six or more give intervals")
      ->check(CLI::Range(std::size_t{1}, load::limits::rounds_max))
      ->capture_default_str();
  command.add_option("--timeout", timeout_ms_, "Milliseconds after which a call has failed")
      ->check(CLI::Range(std::uint64_t{1}, load::limits::timeout_ms_max))
      ->capture_default_str();
  command.add_option("--interval", interval_ms_, "Milliseconds of one point of the time series")
      ->check(CLI::Range(std::uint64_t{100}, load::limits::timeout_ms_max))
      ->capture_default_str();
}

std::expected<std::vector<model::Load>, std::string> LoadFlags::loads() const {
  std::vector<model::Load> loads;
  for (const std::size_t connections : connections_) {
    const model::Load closed{.connections = connections, .depth = depth_, .schedule = {}};
    if (closed.lanes() > load::limits::lanes_max) {
      return std::unexpected("connections times depth is at most " +
                             std::to_string(load::limits::lanes_max));
    }
    if (rates_.empty()) loads.push_back(closed);
    for (const std::string& rate : rates_) {
      auto phases = load::parse_phases(rate, seconds_);
      if (!phases) return std::unexpected("--rate: " + phases.error());
      model::Load open = closed;
      open.schedule = {
          .arrivals = arrivals_ == "poisson" ? load::Arrivals::poisson : load::Arrivals::constant,
          .burst = burst_,
          .phases = *std::move(phases)};
      loads.push_back(std::move(open));
    }
  }
  return loads;
}

}  // namespace rps::commands
