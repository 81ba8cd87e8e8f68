// `rps-bench stage2` as a command.
#pragma once

#include <cstddef>

#include "bench/common_flags.hpp"

namespace rps::load {

class Stage2Command {
 public:
  // Adds the subcommand and its flags. REQUIRES: outlives the parsing.
  explicit Stage2Command(CLI::App& app);

  bool chosen() const;

  // Measures, prints the tables to stdout and writes stage2.md. The exit code: 0, 2 wrong flags,
  // 130 ended by Ctrl-C. Throws std::exception when a server does not start or goes away.
  int run();

 private:
  CLI::App& command_;
  std::size_t rounds_ = 6;
  double seconds_ = 1;
  double warmup_ = 0.2;
  CommonFlags common_;
};

}  // namespace rps::load
