#include "bench/commands/command.hpp"

#include <CLI/CLI.hpp>

namespace rps::commands {

Command::Command(CLI::App& app, const std::string& name, const std::string& about)
    : command_(*app.add_subcommand(name, about)) {}

bool Command::chosen() const {
  return command_.parsed();
}

MeasuringCommand::MeasuringCommand(CLI::App& app, const std::vector<std::string>& command_line,
                                   const std::string& name, const std::string& about)
    : Command(app, name, about), common_(command(), command_line) {}

int MeasuringCommand::run() {
  auto run = common_.begin();
  if (!run) return 2;
  scenarios::Measurement measurement{.run = *std::move(run), .options = common_.runner()};
  const std::string more = measure(measurement);
  return common_.report(measurement.run, command().get_name(), more);
}

}  // namespace rps::commands
