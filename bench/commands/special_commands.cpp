#include "bench/commands/special_commands.hpp"

#include <chrono>
#include <stdexcept>

#include <CLI/CLI.hpp>

#include "bench/load/limits.hpp"
#include "bench/scenarios/churn.hpp"
#include "bench/scenarios/overload.hpp"
#include "bench/scenarios/search.hpp"
#include "bench/scenarios/soak.hpp"

namespace rps::commands {

TargetCommand::TargetCommand(CLI::App& app, const std::vector<std::string>& command_line,
                             std::string name, const std::string& about, std::size_t depth)
    : name_(std::move(name)),
      command_(*app.add_subcommand(name_, about)),
      depth_(depth),
      common_(command_, command_line) {
  command_.add_option("target", target_, "A URL, or the name of a server to start")->required();
  command_.add_option("--connections", connections_, "How many")
      ->check(CLI::Range(std::size_t{1}, load::limits::connections_max))
      ->capture_default_str();
  command_.add_option("--depth", depth_, "Calls open at once on each, at most")
      ->check(CLI::Range(std::size_t{1}, load::limits::depth_max))
      ->capture_default_str();
  command_.add_option("--trial-seconds", seconds_, "Of each closed loop, and of each rate tried")
      ->check(CLI::Range(0.01, load::limits::trial_seconds_max))
      ->capture_default_str();
  command_.add_option("--warmup", warmup_, "Seconds before those")
      ->check(CLI::Range(0.0, load::limits::trial_seconds_max))
      ->capture_default_str();
}

bool TargetCommand::chosen() const {
  return command_.parsed();
}

int TargetCommand::run() {
  auto run = common_.begin();
  if (!run) return 2;
  const scenarios::RunnerOptions runner = common_.runner();
  const auto target = scenarios::parse_target(target_, runner.binaries, run->plan.seed);
  if (!target) throw std::invalid_argument(target.error());
  if (connections_ * depth_ > load::limits::lanes_max) {
    throw std::invalid_argument("connections times depth is at most " +
                                std::to_string(load::limits::lanes_max));
  }
  run->title = name_ + " of " + target_;
  run->plan.rounds = 1;
  run->plan.seconds = seconds_;
  run->plan.warmup = warmup_;
  scenarios::Interrupt interrupt;
  const std::string more = measure(*run, *target, runner, interrupt);
  return common_.report(*run, name_, more);
}

// ---- search --------------------------------------------------------------------------------

SearchCommand::SearchCommand(CLI::App& app, const std::vector<std::string>& command_line)
    : TargetCommand(app, command_line, "search", "Find the greatest rate that meets objectives",
                    16) {
  command()
      .add_option("--objective", objectives_, "What a rate must meet; may be given again")
      ->check([](const std::string& text) {
        const auto parsed = model::parse_threshold(text);
        return parsed ? std::string() : parsed.error();
      })
      ->capture_default_str();
  command()
      .add_option("--rounds", rounds_, "Trials of each rate")
      ->check(CLI::Range(std::size_t{1}, load::limits::rounds_max))
      ->capture_default_str();
}

std::string SearchCommand::measure(model::Run& run, const scenarios::NamedTarget& target,
                                   const scenarios::RunnerOptions& runner,
                                   scenarios::Interrupt& interrupt) {
  scenarios::SearchOptions options{.target = target,
                                   .connections = connections(),
                                   .depth = depth(),
                                   .objectives = {},
                                   .rounds = rounds_};
  for (const std::string& text : objectives_)
    options.objectives.push_back(*model::parse_threshold(text));
  run.plan.rounds = rounds_;
  return to_text(options, scenarios::run_search(run, options, runner, interrupt));
}

// ---- overload ------------------------------------------------------------------------------

OverloadCommand::OverloadCommand(CLI::App& app, const std::vector<std::string>& command_line)
    : TargetCommand(app, command_line, "overload",
                    "Offer half, twice and again half of what a target can do", 16) {
  command()
      .add_option("--seconds", overload_seconds_, "Of the overload")
      ->check(CLI::Range(0.5, load::limits::trial_seconds_max))
      ->capture_default_str();
}

std::string OverloadCommand::measure(model::Run& run, const scenarios::NamedTarget& target,
                                     const scenarios::RunnerOptions& runner,
                                     scenarios::Interrupt& interrupt) {
  scenarios::RunnerOptions finer = runner;
  finer.interval = std::chrono::milliseconds(200);
  return to_text(scenarios::run_overload(run,
                                         {.target = target,
                                          .connections = connections(),
                                          .depth = depth(),
                                          .seconds = overload_seconds_},
                                         finer, interrupt));
}

// ---- soak ----------------------------------------------------------------------------------

SoakCommand::SoakCommand(CLI::App& app, const std::vector<std::string>& command_line)
    : TargetCommand(app, command_line, "soak", "A moderate rate for a long time", 16) {
  command()
      .add_option("--minutes", minutes_, "How long")
      ->check(CLI::Range(0.05, load::limits::trial_seconds_max / 60))
      ->capture_default_str();
  command()
      .add_option("--share", share_, "Of what a closed loop gets")
      ->check(CLI::Range(0.01, 1.0))
      ->capture_default_str();
}

std::string SoakCommand::measure(model::Run& run, const scenarios::NamedTarget& target,
                                 const scenarios::RunnerOptions& runner,
                                 scenarios::Interrupt& interrupt) {
  return to_text(scenarios::run_soak(run,
                                     {.target = target,
                                      .connections = connections(),
                                      .depth = depth(),
                                      .share = share_,
                                      .seconds = minutes_ * 60},
                                     runner, interrupt));
}

// ---- churn ---------------------------------------------------------------------------------

ChurnCommand::ChurnCommand(CLI::App& app, const std::vector<std::string>& command_line)
    : TargetCommand(app, command_line, "churn", "Connect, play one round, hang up, again", 1) {
  command()
      .add_option("--seconds", churn_seconds_, "How long")
      ->check(CLI::Range(0.1, load::limits::trial_seconds_max))
      ->capture_default_str();
}

std::string ChurnCommand::measure(model::Run& run, const scenarios::NamedTarget& target,
                                  const scenarios::RunnerOptions& runner,
                                  scenarios::Interrupt& interrupt) {
  scenarios::run_churn(run, {.target = target, .seconds = churn_seconds_}, runner, interrupt);
  return scenarios::churn_text(run);
}

}  // namespace rps::commands
