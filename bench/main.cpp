// rps-bench: the load harness. What it can do is its list of subcommands.
#include <algorithm>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "bench/commands/compare_command.hpp"
#include "bench/commands/load_command.hpp"
#include "bench/commands/report_command.hpp"
#include "bench/commands/special_commands.hpp"
#include "core/flags/group.hpp"

int main(int argc, char** argv) {
  using namespace rps::commands;
  const std::vector<std::string> command_line(argv, argv + argc);
  CLI::App app("The load harness of the rock-paper-scissors servers.");
  app.require_subcommand(1);
  CompareCommand compare(app, command_line);
  LoadCommand load(app, command_line);
  SearchCommand search(app, command_line);
  OverloadCommand overload(app, command_line);
  SoakCommand soak(app, command_line);
  ChurnCommand churn(app, command_line);
  ReportCommand report(app);
  DiffCommand diff(app);
  const std::vector<Command*> commands{&compare, &load,  &search, &overload,
                                       &soak,    &churn, &report, &diff};
  try {
    if (const auto exit_code = rps::flags::parse(app, argc, argv, "rps-bench")) return *exit_code;
    return (*std::ranges::find_if(commands, &Command::chosen))->run();
  } catch (const std::invalid_argument& error) {
    std::cerr << "rps-bench: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "rps-bench: " << error.what() << '\n';
    return 1;
  }
}
