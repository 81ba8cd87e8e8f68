// rps-bench: the load harness. What it can do is its list of subcommands.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "bench/commands/commands.hpp"
#include "core/flags/group.hpp"
#include "core/net/program.hpp"

namespace rps::commands {

namespace {

int run(int argc, const char* const* argv) {
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
  if (const auto exit_code = flags::parse(app, argc, argv, "rps-bench")) return *exit_code;
  return (*std::ranges::find_if(commands, [](const auto& each) { return each->chosen(); }))->run();
}

}  // namespace

}  // namespace rps::commands

int main(int argc, char** argv) {
  return rps::net::run_program("rps-bench", [&] { return rps::commands::run(argc, argv); });
}
