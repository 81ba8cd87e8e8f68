#include "bench/commands/stage2_command.hpp"

#include <iostream>

#include <CLI/CLI.hpp>

#include "bench/load/limits.hpp"
#include "bench/scenarios/interrupt.hpp"
#include "bench/scenarios/stage2.hpp"
#include "core/flags/group.hpp"

namespace rps::commands {

Stage2Command::Stage2Command(CLI::App& app, const std::vector<std::string>& command_line)
    : command_(*app.add_subcommand(
          "stage2", "Measure the JSON-RPC server beside its floor, and under pressure")),
      common_(command_, command_line) {
  using namespace std::chrono_literals;
  flags::Group measurement(command_, "Measurement");
  measurement.add_count("--rounds", rounds_, {.min = 1, .max = load::limits::rounds_max},
                        "Interleaved rounds");
  measurement.add_duration(
      "--seconds", seconds_,
      {.min = load::limits::trial_min, .max = load::limits::trial_max, .bare = 1s},
      "Measured time of a window");
  measurement.add_duration("--warmup", warmup_, {.max = load::limits::trial_max, .bare = 1s},
                           "Time before that, which is not measured");
}

bool Stage2Command::chosen() const {
  return command_.parsed();
}

int Stage2Command::run() {
  const auto run = common_.begin();
  if (!run) return 2;
  const scenarios::RunnerOptions runner = common_.runner();
  const scenarios::Stage2Options options{.rounds = rounds_,
                                         .seconds = seconds_.count(),
                                         .warmup = warmup_.count(),
                                         .cpus = *run->plan.cpus,
                                         .binaries = runner.binaries,
                                         .out = runner.out,
                                         .quiet = runner.quiet};
  scenarios::Interrupt interrupt;
  const scenarios::Stage2Run result = scenarios::run_stage2(options, interrupt);
  const std::string text = scenarios::stage2_text(options, result);
  write_file(options.out / "stage2.md", text);
  std::cout << text << "\nWritten to " << options.out.string() << ".\n" << std::flush;
  return result.interrupted ? 130 : 0;
}

}  // namespace rps::commands
