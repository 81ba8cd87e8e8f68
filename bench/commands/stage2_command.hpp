// `rps-bench stage2` as a command.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "bench/commands/command.hpp"
#include "bench/commands/common_flags.hpp"

namespace rps::commands {

class Stage2Command final : public Command {
 public:
  // REQUIRES: outlives the parsing.
  Stage2Command(CLI::App& app, const std::vector<std::string>& command_line);

  bool chosen() const override;

  // Measures, prints the tables to stdout and writes stage2.md. Throws std::exception when a server
  // does not start or goes away.
  int run() override;

 private:
  CLI::App& command_;
  std::size_t rounds_ = 6;
  std::chrono::duration<double> seconds_{1};
  std::chrono::duration<double> warmup_{0.2};
  CommonFlags common_;
};

}  // namespace rps::commands
