// Commands that measure one property of one target: search, overload, soak, churn.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "bench/commands/command.hpp"
#include "bench/commands/common_flags.hpp"
#include "bench/scenarios/targets.hpp"

namespace rps::commands {

// What they have in common: a target, connections and depth, and a run that begins with them.
class TargetCommand : public Command {
 public:
  bool chosen() const override;
  int run() override;

 protected:
  using Seconds = std::chrono::duration<double>;

  // REQUIRES: outlives the parsing.
  TargetCommand(CLI::App& app, const std::vector<std::string>& command_line, std::string name,
                const std::string& about, std::size_t depth);

  // Measures, and returns the result as the text that follows the report.
  virtual std::string measure(model::Run& run, const scenarios::NamedTarget& target,
                              const scenarios::RunnerOptions& runner,
                              scenarios::Interrupt& interrupt) = 0;

  CLI::App& command() { return command_; }
  std::size_t connections() const { return connections_; }
  std::size_t depth() const { return depth_; }

 private:
  std::string name_;
  CLI::App& command_;
  std::string target_;
  std::size_t connections_ = 64;
  std::size_t depth_;
  Seconds seconds_{3};
  Seconds warmup_{0.5};
  CommonFlags common_;
};

class SearchCommand final : public TargetCommand {
 public:
  SearchCommand(CLI::App& app, const std::vector<std::string>& command_line);

 private:
  std::string measure(model::Run& run, const scenarios::NamedTarget& target,
                      const scenarios::RunnerOptions& runner,
                      scenarios::Interrupt& interrupt) override;

  std::vector<std::string> objectives_{"p99<5ms", "errors<0.1%"};
  std::size_t rounds_ = 3;
};

class OverloadCommand final : public TargetCommand {
 public:
  OverloadCommand(CLI::App& app, const std::vector<std::string>& command_line);

 private:
  std::string measure(model::Run& run, const scenarios::NamedTarget& target,
                      const scenarios::RunnerOptions& runner,
                      scenarios::Interrupt& interrupt) override;

  Seconds overload_{10};
};

class SoakCommand final : public TargetCommand {
 public:
  SoakCommand(CLI::App& app, const std::vector<std::string>& command_line);

 private:
  std::string measure(model::Run& run, const scenarios::NamedTarget& target,
                      const scenarios::RunnerOptions& runner,
                      scenarios::Interrupt& interrupt) override;

  Seconds duration_ = std::chrono::minutes(30);
  double share_ = 0.7;
};

class ChurnCommand final : public TargetCommand {
 public:
  ChurnCommand(CLI::App& app, const std::vector<std::string>& command_line);

 private:
  std::string measure(model::Run& run, const scenarios::NamedTarget& target,
                      const scenarios::RunnerOptions& runner,
                      scenarios::Interrupt& interrupt) override;

  Seconds duration_{10};
};

}  // namespace rps::commands
