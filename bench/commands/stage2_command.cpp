#include "bench/commands/stage2_command.hpp"

#include <iostream>

#include <CLI/CLI.hpp>

#include "bench/load/limits.hpp"
#include "bench/scenarios/interrupt.hpp"
#include "bench/scenarios/stage2.hpp"

namespace rps::commands {

Stage2Command::Stage2Command(CLI::App& app, const std::vector<std::string>& command_line)
    : command_(*app.add_subcommand(
          "stage2", "Measure the JSON-RPC server beside its floor, and under pressure")),
      common_(command_, command_line) {
  command_.add_option("--rounds", rounds_, "Interleaved rounds")
      ->check(CLI::Range(std::size_t{1}, load::limits::rounds_max))
      ->capture_default_str();
  command_.add_option("--seconds", seconds_, "Measured seconds of a window")
      ->check(CLI::Range(0.01, load::limits::trial_seconds_max))
      ->capture_default_str();
  command_.add_option("--warmup", warmup_, "Seconds before those")
      ->check(CLI::Range(0.0, load::limits::trial_seconds_max))
      ->capture_default_str();
}

bool Stage2Command::chosen() const {
  return command_.parsed();
}

int Stage2Command::run() {
  const auto run = common_.begin();
  if (!run) return 2;
  const scenarios::RunnerOptions runner = common_.runner();
  const scenarios::Stage2Options options{.rounds = rounds_,
                                         .seconds = seconds_,
                                         .warmup = warmup_,
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
