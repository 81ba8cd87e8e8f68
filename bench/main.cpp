// rps-bench: the load harness. What it can do is its list of subcommands.
#include <algorithm>
#include <array>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "bench/commands/commands.hpp"
#include "core/flags/group.hpp"

int main(int argc, char** argv) {
  using namespace rps::commands;
  const std::vector<std::string> command_line(argv, argv + argc);
  CLI::App app("The load harness of the rock-paper-scissors servers.");
  app.require_subcommand(1);
  const std::array commands{compare_command(app, command_line),
                            load_command(app, command_line),
                            search_command(app, command_line),
                            overload_command(app, command_line),
                            soak_command(app, command_line),
                            churn_command(app, command_line),
                            report_command(app),
                            diff_command(app)};
  try {
    if (const auto exit_code = rps::flags::parse(app, argc, argv, "rps-bench")) return *exit_code;
    return (*std::ranges::find_if(commands, [](const auto& each) { return each->chosen(); }))
        ->run();
  } catch (const std::invalid_argument& error) {
    std::cerr << "rps-bench: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "rps-bench: " << error.what() << '\n';
    return 1;
  }
}
