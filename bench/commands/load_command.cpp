#include "bench/commands/load_command.hpp"

#include <algorithm>
#include <cctype>
#include <iostream>
#include <limits>
#include <set>

#include <CLI/CLI.hpp>

#include "bench/model/hdr.hpp"
#include "bench/scenarios/targets.hpp"
#include "core/flags/group.hpp"

namespace rps::commands {

namespace {

// The same target twice is a comparison of a thing with itself.
void make_unique(scenarios::PlannedCell& planned, std::set<std::string>& keys) {
  const std::string key = planned.cell.key;
  for (int i = 2; !keys.insert(planned.cell.key).second; ++i) {
    planned.cell.key = key + " #" + std::to_string(i);
  }
}

std::string file_name(std::string key) {
  std::ranges::replace_if(
      key, [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-'; }, '_');
  return key;
}

constexpr double hgrm_unit_ns = 1e3;  // Microseconds.

void write_hgrm(const model::Run& run, const std::filesystem::path& folder) {
  for (const model::CellTrial& each : run.trials) {
    const std::string name = "load-" + file_name(run.cells[each.cell].key) + "-" +
                             std::to_string(each.round + 1) + ".hgrm";
    write_file(folder / name, model::to_hgrm(each.trial.response, hgrm_unit_ns));
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
  flags::Group(command_, "Output")
      .add_switch("--hgrm", hgrm_, "Write the percentiles of each trial as .hgrm, too");
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
  if (hgrm_) write_hgrm(*run, runner.out);
  return common_.report(*run, "load");
}

}  // namespace rps::commands
