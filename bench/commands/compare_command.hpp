// `rps-bench compare`: its flags, its files, its exit code.
#pragma once

#include <string>
#include <vector>

#include "bench/commands/command.hpp"
#include "bench/commands/common_flags.hpp"

namespace rps::commands {

class CompareCommand final : public Command {
 public:
  // REQUIRES: outlives the parsing.
  CompareCommand(CLI::App& app, const std::vector<std::string>& command_line);

  bool chosen() const override;
  int run() override;  // Writes compare.*.

 private:
  CLI::App& command_;
  std::string profile_ = "default";
  std::vector<std::string> tables_;    // Empty: all.
  std::vector<std::string> subjects_;  // Empty: all.
  CommonFlags common_;
};

}  // namespace rps::commands
