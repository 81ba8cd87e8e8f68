// `rps-bench compare` as a command: its flags, its files, its exit code.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/common_flags.hpp"

namespace CLI {
class App;
}

namespace rps::load {

class CompareCommand {
 public:
  // Adds the subcommand and its flags. REQUIRES: outlives the parsing.
  explicit CompareCommand(CLI::App& app);

  // Measures, prints the report to stdout and writes compare.md and compare.json. The exit code:
  // 0 every trial was valid, 1 some was not, 2 wrong flags, 130 ended by Ctrl-C.
  int run(const std::vector<std::string>& command_line);

 private:
  std::string profile_ = "default";
  std::optional<std::size_t> rounds_;
  std::optional<double> seconds_;
  std::optional<double> warmup_;
  std::vector<std::size_t> connections_{1, 64};
  std::vector<std::string> stages_;  // Empty: all.
  std::uint64_t seed_ = 1;
  CommonFlags common_;
};

}  // namespace rps::load
