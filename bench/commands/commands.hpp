// The subcommands of rps-bench. Each function adds one to `app`; `command_line` is kept in the
// reports. REQUIRES: `app` and the command outlive the parsing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/commands/command.hpp"

namespace rps::commands {

using CommandLine = std::vector<std::string>;

// The articles' tables.
std::unique_ptr<Command> compare_command(CLI::App& app, const CommandLine& command_line);

// Any load on any targets.
std::unique_ptr<Command> load_command(CLI::App& app, const CommandLine& command_line);

// One property of one target.
std::unique_ptr<Command> search_command(CLI::App& app, const CommandLine& command_line);
std::unique_ptr<Command> overload_command(CLI::App& app, const CommandLine& command_line);
std::unique_ptr<Command> soak_command(CLI::App& app, const CommandLine& command_line);
std::unique_ptr<Command> churn_command(CLI::App& app, const CommandLine& command_line);

// Reports from stored runs, without measuring.
std::unique_ptr<Command> report_command(CLI::App& app);
std::unique_ptr<Command> diff_command(CLI::App& app);

}  // namespace rps::commands
