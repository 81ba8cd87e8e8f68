#include <chrono>
#include <limits>
#include <set>
#include <stdexcept>

#include <CLI/CLI.hpp>

#include "bench/commands/commands.hpp"
#include "bench/load/limits.hpp"
#include "bench/scenarios/targets.hpp"
#include "core/flags/group.hpp"

namespace rps::commands {

namespace {

using namespace std::chrono_literals;

// The same target may be given twice, to compare it with itself; the cells then need other keys.
void make_unique(scenarios::PlannedCell& planned, std::set<std::string>& keys) {
  const std::string key = planned.cell.key;
  for (int i = 2; !keys.insert(planned.cell.key).second; ++i) {
    planned.cell.key = key + " #" + std::to_string(i);
  }
}

class LoadCommand final : public MeasuringCommand {
 public:
  LoadCommand(CLI::App& app, const CommandLine& command_line);

 private:
  std::string measure(scenarios::Measurement& measurement) override;

  void add_load_flags();
  void add_measurement_flags();

  // Every number of connections with every rate, or with none: then the loops are closed.
  std::vector<model::Load> loads() const;

  std::vector<std::string> targets_;
  std::vector<pid_t> server_pids_;
  bool unjudged_ = false;
  std::vector<std::size_t> connections_{64};
  std::size_t depth_ = 1;
  std::size_t idle_ = 0;
  std::size_t slow_ = 0;
  std::vector<std::string> rates_;
  load::Arrivals arrivals_ = load::Arrivals::poisson;
  std::size_t burst_ = 1;
  std::chrono::duration<double> seconds_{10};
  std::chrono::duration<double> warmup_{1};
  std::size_t rounds_ = 1;
  std::chrono::milliseconds timeout_{10'000};
  std::chrono::milliseconds interval_{1000};
  bool through_outages_ = false;
};

LoadCommand::LoadCommand(CLI::App& app, const CommandLine& command_line)
    : MeasuringCommand(app, command_line, "load",
                       "Put a load on one target, or on several in interleaved rounds") {
  command()
      .add_option("target", targets_,
                  "URLs of servers that run, or names of servers to start (jsonrpc, grpc, …)")
      ->required();
  add_load_flags();
  add_measurement_flags();
}

void LoadCommand::add_load_flags() {
  flags::Group load_group(command(), "Load");
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
}

void LoadCommand::add_measurement_flags() {
  flags::Group measurement(command(), "Measurement");
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
  measurement.add_switch("--through-outages", through_outages_,
                         "An open loop goes on while its server is away, connects again, and "
                         "reports how long the server was away; else the trial ends");
  measurement.add_counts(
      "--server-pid", server_pids_, {.min = 1, .max = std::numeric_limits<pid_t>::max()},
      "Processes of a server that runs on this machine, whose CPU time and memory are read");
  measurement.add_switch("--unjudged", unjudged_, "Count every answer without an error as right");
}

std::vector<model::Load> LoadCommand::loads() const {
  if (through_outages_ && rates_.empty()) {
    throw std::invalid_argument(
        "--through-outages needs --rate: a closed loop sends nothing while its server is away");
  }
  std::vector<model::Load> loads;
  for (const std::size_t connections : connections_) {
    const model::Load closed{
        .connections = connections, .depth = depth_, .schedule = {}, .idle = idle_, .slow = slow_};
    check_slots(closed);
    if (rates_.empty()) loads.push_back(closed);
    for (const std::string& rate : rates_) {
      model::Load open = closed;
      open.schedule = {.arrivals = arrivals_,
                       .burst = burst_,
                       .phases = load::parse_phases(rate, seconds_.count()).value()};
      loads.push_back(std::move(open));
    }
  }
  return loads;
}

std::string LoadCommand::measure(scenarios::Measurement& measurement) {
  measurement.options.interval = interval_;
  measurement.options.timeout = timeout_;
  measurement.options.through_outages = through_outages_;
  model::Run& run = measurement.run;
  run.title = "Load on " + CLI::detail::join(targets_, ", ");
  run.plan.rounds = rounds_;
  run.plan.seconds = seconds_.count();
  run.plan.warmup = warmup_.count();

  std::vector<scenarios::PlannedCell> cells;
  std::set<std::string> keys;
  for (const std::string& text : targets_) {
    auto target = scenarios::parse_target(text, measurement.options.binaries, run.plan.seed);
    if (!target) throw std::invalid_argument(target.error());
    if (unjudged_) target->target.judging = load::Judging::none;
    target->target.pids = server_pids_;
    for (const model::Load& load : loads()) {
      make_unique(cells.emplace_back(target->at(load, rounds_)), keys);
    }
  }
  scenarios::run_cells(measurement, cells);
  return {};
}

}  // namespace

std::unique_ptr<Command> load_command(CLI::App& app, const CommandLine& command_line) {
  return std::make_unique<LoadCommand>(app, command_line);
}

}  // namespace rps::commands
