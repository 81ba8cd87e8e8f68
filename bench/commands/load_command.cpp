#include "bench/commands/load_command.hpp"

#include <iostream>
#include <limits>
#include <set>

#include <CLI/CLI.hpp>

#include "bench/scenarios/targets.hpp"
#include "core/flags/group.hpp"

namespace rps::commands {

namespace {

// The same target may be given twice, to compare it with itself; the cells then need other keys.
void make_unique(scenarios::PlannedCell& planned, std::set<std::string>& keys) {
  const std::string key = planned.cell.key;
  for (int i = 2; !keys.insert(planned.cell.key).second; ++i) {
    planned.cell.key = key + " #" + std::to_string(i);
  }
}

}  // namespace

LoadCommand::LoadCommand(CLI::App& app, const std::vector<std::string>& command_line)
    : command_(*app.add_subcommand(
          "load", "Put a load on one target, or on several in interleaved rounds")),
      load_(command_),
      common_(command_, command_line) {
  command_
      .add_option("target", targets_,
                  "URLs of servers that run, or names of servers to start (jsonrpc, grpc, …)")
      ->required();
  flags::Group measurement(command_, "Measurement");
  measurement.add_counts(
      "--server-pid", server_pids_, {.min = 1, .max = std::numeric_limits<pid_t>::max()},
      "Processes of a server that runs on this machine, whose CPU time and memory are read");
  measurement.add_switch("--unjudged", unjudged_, "Count every answer without an error as right");
}

bool LoadCommand::chosen() const {
  return command_.parsed();
}

int LoadCommand::run() {
  auto run = common_.begin();
  if (!run) return 2;
  scenarios::RunnerOptions runner = common_.runner();
  runner.interval = load_.interval();
  runner.timeout = load_.timeout();
  run->title = "Load on " + CLI::detail::join(targets_, ", ");
  run->plan.rounds = load_.rounds();
  run->plan.seconds = load_.seconds();
  run->plan.warmup = load_.warmup();

  const auto loads = load_.loads();
  if (!loads) throw std::invalid_argument(loads.error());
  std::vector<scenarios::PlannedCell> cells;
  std::set<std::string> keys;
  for (const std::string& text : targets_) {
    auto target = scenarios::parse_target(text, runner.binaries, run->plan.seed);
    if (!target) throw std::invalid_argument(target.error());
    if (unjudged_) target->target.judging = load::Judging::none;
    target->target.pids = server_pids_;
    for (const model::Load& load : *loads) {
      make_unique(cells.emplace_back(target->at(load, load_.rounds())), keys);
    }
  }
  scenarios::Interrupt interrupt;
  scenarios::run_cells(*run, cells, runner, interrupt);
  return common_.report(*run, "load");
}

}  // namespace rps::commands
