#include "bench/commands/special_commands.hpp"

#include <chrono>
#include <stdexcept>

#include <CLI/CLI.hpp>

#include "bench/load/limits.hpp"
#include "bench/scenarios/churn.hpp"
#include "bench/scenarios/overload.hpp"
#include "bench/scenarios/search.hpp"
#include "bench/scenarios/soak.hpp"
#include "core/flags/group.hpp"

namespace rps::commands {

TargetCommand::TargetCommand(CLI::App& app, const std::vector<std::string>& command_line,
                             std::string name, const std::string& about, std::size_t depth)
    : name_(std::move(name)),
      command_(*app.add_subcommand(name_, about)),
      depth_(depth),
      common_(command_, command_line) {
  command_.add_option("target", target_, "A URL, or the name of a server to start")->required();
  using namespace std::chrono_literals;
  flags::Group load_group(command_, "Load");
  load_group.add_count("--connections", connections_,
                       {.min = 1, .max = load::limits::connections_max}, "Connections");
  load_group.add_count("--depth", depth_, {.min = 1, .max = load::limits::depth_max},
                       "Calls open at once on each connection, at most");
  flags::Group measurement(command_, "Measurement");
  measurement.add_duration(
      "--trial-seconds", seconds_,
      {.min = load::limits::trial_min, .max = load::limits::trial_max, .bare = 1s},
      "Measured time of each closed loop, and of each rate tried");
  measurement.add_duration("--warmup", warmup_, {.max = load::limits::trial_max, .bare = 1s},
                           "Time before that, which is not measured");
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
  if (connections_ * depth_ > load::limits::slots_max) {
    throw std::invalid_argument("connections times depth is at most " +
                                std::to_string(load::limits::slots_max));
  }
  run->title = name_ + " of " + target_;
  run->plan.rounds = 1;
  run->plan.seconds = seconds_.count();
  run->plan.warmup = warmup_.count();
  scenarios::Interrupt interrupt;
  const std::string more = measure(*run, *target, runner, interrupt);
  return common_.report(*run, name_, more);
}

// ---- search --------------------------------------------------------------------------------

SearchCommand::SearchCommand(CLI::App& app, const std::vector<std::string>& command_line)
    : TargetCommand(app, command_line, "search", "Find the greatest rate that meets objectives",
                    16) {
  flags::Group(command(), "Load")
      .add_texts("--objective", objectives_, "THRESHOLD",
                 "What a rate must meet; may be given again")
      .check([](const std::string& text) {
        const auto parsed = model::parse_threshold(text);
        return parsed ? std::string() : parsed.error();
      });
  flags::Group(command(), "Measurement")
      .add_count("--rounds", rounds_, {.min = 1, .max = load::limits::rounds_max},
                 "Trials of each rate");
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
  using namespace std::chrono_literals;
  flags::Group(command(), "Load")
      .add_duration("--seconds", overload_,
                    {.min = 500ms, .max = load::limits::trial_max, .bare = 1s},
                    "How long the overload lasts");
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
                                          .seconds = overload_.count()},
                                         finer, interrupt));
}

// ---- soak ----------------------------------------------------------------------------------

SoakCommand::SoakCommand(CLI::App& app, const std::vector<std::string>& command_line)
    : TargetCommand(app, command_line, "soak", "A moderate rate for a long time", 16) {
  using namespace std::chrono_literals;
  flags::Group load_group(command(), "Load");
  load_group.add_duration("--minutes", duration_,
                          {.min = 3s, .max = load::limits::trial_max, .bare = 1min},
                          "How long the load lasts");
  load_group.add_share("--share", share_, {.min = 0.01, .max = 1},
                       "The rate, as a share of what a closed loop gets");
}

std::string SoakCommand::measure(model::Run& run, const scenarios::NamedTarget& target,
                                 const scenarios::RunnerOptions& runner,
                                 scenarios::Interrupt& interrupt) {
  return to_text(scenarios::run_soak(run,
                                     {.target = target,
                                      .connections = connections(),
                                      .depth = depth(),
                                      .share = share_,
                                      .seconds = duration_.count()},
                                     runner, interrupt));
}

// ---- churn ---------------------------------------------------------------------------------

ChurnCommand::ChurnCommand(CLI::App& app, const std::vector<std::string>& command_line)
    : TargetCommand(app, command_line, "churn", "Connect, play one round, hang up, again", 1) {
  using namespace std::chrono_literals;
  flags::Group(command(), "Load")
      .add_duration("--seconds", duration_,
                    {.min = 100ms, .max = load::limits::trial_max, .bare = 1s},
                    "How long connections are opened and closed");
}

std::string ChurnCommand::measure(model::Run& run, const scenarios::NamedTarget& target,
                                  const scenarios::RunnerOptions& runner,
                                  scenarios::Interrupt& interrupt) {
  scenarios::run_churn(run, {.target = target, .seconds = duration_.count()}, runner, interrupt);
  return scenarios::churn_text(run);
}

}  // namespace rps::commands
