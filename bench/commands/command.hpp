// A subcommand of rps-bench, and what those that measure have in common.
#pragma once

#include <string>
#include <vector>

#include "bench/commands/common_flags.hpp"
#include "bench/scenarios/runner.hpp"

namespace CLI {
class App;
}

namespace rps::commands {

class Command {
 public:
  virtual ~Command() = default;

  // Whether the command line names it.
  bool chosen() const;

  // The exit code: 0 success, 1 a trial was not valid or a report could not be written, 2 wrong
  // flags, 3 a threshold or a baseline was not met, 130 ended by Ctrl-C or a hangup (the trials
  // until then are reported). Throws std::exception when something cannot be read, written or
  // started, std::invalid_argument for wrong flags.
  virtual int run() = 0;

 protected:
  // Adds the subcommand to `app`. REQUIRES: both outlive the parsing.
  Command(CLI::App& app, const std::string& name, const std::string& about);

  CLI::App& command() const { return command_; }

 private:
  CLI::App& command_;
};

// Makes a run, has it filled, and reports it in files with the command's name.
class MeasuringCommand : public Command {
 public:
  int run() final;

 protected:
  MeasuringCommand(CLI::App& app, const std::vector<std::string>& command_line,
                   const std::string& name, const std::string& about);

  // Adds cells and trials to the run, and returns the text that follows the report.
  virtual std::string measure(scenarios::Measurement& measurement) = 0;

 private:
  CommonFlags common_;
};

// Throws std::invalid_argument when the load would have too many calls open at once.
void check_slots(const model::Load& load);

}  // namespace rps::commands
