// `rps-bench load TARGET…`: any load on any targets.
#pragma once

#include <string>
#include <vector>

#include "bench/commands/command.hpp"
#include "bench/commands/common_flags.hpp"
#include "bench/commands/load_flags.hpp"

namespace rps::commands {

class LoadCommand final : public Command {
 public:
  // REQUIRES: outlives the parsing.
  LoadCommand(CLI::App& app, const std::vector<std::string>& command_line);

  bool chosen() const override;
  int run() override;  // Writes load.*.

 private:
  CLI::App& command_;
  std::vector<std::string> targets_;
  std::vector<pid_t> server_pids_;
  bool unjudged_ = false;
  LoadFlags load_;
  CommonFlags common_;
};

}  // namespace rps::commands
