// `rps-bench report FILE` and `rps-bench diff BASE NEW`: reports from stored runs, without
// measuring.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/commands/command.hpp"

namespace CLI {
class App;
}

namespace rps::commands {

class ReportCommand final : public Command {
 public:
  // REQUIRES: outlives the parsing.
  explicit ReportCommand(CLI::App& app);

  bool chosen() const override;
  int run() override;

 private:
  std::string text() const;

  CLI::App& command_;
  std::string file_;
  std::string format_ = "text";
  std::vector<std::string> tables_;
  bool tables_only_ = false;
  std::string into_;
};

class DiffCommand final : public Command {
 public:
  // REQUIRES: outlives the parsing.
  explicit DiffCommand(CLI::App& app);

  bool chosen() const override;
  int run() override;

 private:
  CLI::App& command_;
  std::string base_;
  std::string now_;
  std::optional<double> max_regression_;  // A share.
};

}  // namespace rps::commands
