#include "bench/commands/load_flags.hpp"

#include <CLI/CLI.hpp>

#include "bench/load/limits.hpp"
#include "core/flags/group.hpp"

namespace rps::commands {

LoadFlags::LoadFlags(CLI::App& command) {
  using namespace std::chrono_literals;
  flags::Group load_group(command, "Load");
  load_group.add_counts("--connections", connections_,
                        {.min = 1, .max = load::limits::connections_max},
                        "Connections; several values are a sweep");
  load_group.add_count(
      "--depth", depth_, {.min = 1, .max = load::limits::depth_max},
      "Calls open at once on each connection, at most; an open loop drops what exceeds "
      "connections times depth");
  load_group.add_count("--idle", idle_, {.max = load::limits::bystanders_max},
                       "Connections beside those that play one round each and then stay open");
  load_group.add_count("--slow", slow_, {.max = load::limits::bystanders_max},
                       "Connections beside those that have begun a request and send a byte of it "
                       "a second (jsonrpc only)");
  load_group
      .add_texts("--rate", rates_, "RATE",
                 "Calls a second of an open loop (2k), a ramp (1k..5k), or phases "
                 "(5s@1k,10s@8k,500ms@1k); may be given again for a sweep. Without it the loop is "
                 "closed")
      .check([](const std::string& text) {
        const auto phases = load::parse_phases(text, 1);
        return phases ? std::string() : phases.error();
      });
  load_group.add_choice(
      "--arrivals", arrivals_,
      {{"constant", load::Arrivals::constant}, {"poisson", load::Arrivals::poisson}},
      "How calls are spread over a rate");
  load_group.add_count("--burst", burst_, {.min = 1, .max = load::limits::burst_max},
                       "Calls that are due at the same instant");

  flags::Group measurement(command, "Measurement");
  measurement.add_duration(
      "--seconds", seconds_,
      {.min = load::limits::trial_min, .max = load::limits::trial_max, .bare = 1s},
      "Measured time of a trial");
  measurement.add_duration("--warmup", warmup_, {.max = load::limits::trial_max, .bare = 1s},
                           "Time before that, which is not measured");
  measurement.add_count("--rounds", rounds_, {.min = 1, .max = load::limits::rounds_max},
                        "Interleaved rounds; six or more give intervals");
  measurement.add_duration(
      "--timeout", timeout_,
      {.min = load::limits::timeout_min, .max = load::limits::timeout_max, .bare = 1ms},
      "Time after which a call has failed");
  measurement.add_duration(
      "--interval", interval_,
      {.min = load::limits::interval_min, .max = load::limits::timeout_max, .bare = 1ms},
      "Time that one point of the time series covers");
}

std::expected<std::vector<model::Load>, std::string> LoadFlags::loads() const {
  std::vector<model::Load> loads;
  for (const std::size_t connections : connections_) {
    const model::Load closed{
        .connections = connections, .depth = depth_, .schedule = {}, .idle = idle_, .slow = slow_};
    if (closed.slots() > load::limits::slots_max) {
      return std::unexpected("connections times depth is at most " +
                             std::to_string(load::limits::slots_max));
    }
    if (rates_.empty()) loads.push_back(closed);
    for (const std::string& rate : rates_) {
      model::Load open = closed;
      open.schedule = {.arrivals = arrivals_,
                       .burst = burst_,
                       .phases = load::parse_phases(rate, seconds()).value()};
      loads.push_back(std::move(open));
    }
  }
  return loads;
}

}  // namespace rps::commands
