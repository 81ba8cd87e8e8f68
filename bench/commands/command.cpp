#include "bench/commands/command.hpp"

#include <stdexcept>

#include <CLI/CLI.hpp>

#include "bench/load/limits.hpp"

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

void check_slots(const model::Load& load) {
  if (load.slots() <= load::limits::slots_max) return;
  throw std::invalid_argument("connections times depth is at most " +
                              std::to_string(load::limits::slots_max));
}

}  // namespace rps::commands
