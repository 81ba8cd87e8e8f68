// Commands that measure one property of one target: search, overload, soak, churn.
#include <chrono>
#include <stdexcept>

#include <CLI/CLI.hpp>

#include "bench/commands/commands.hpp"
#include "bench/load/limits.hpp"
#include "bench/scenarios/churn.hpp"
#include "bench/scenarios/overload.hpp"
#include "bench/scenarios/search.hpp"
#include "bench/scenarios/soak.hpp"
#include "core/flags/group.hpp"

namespace rps::commands {

namespace {

using namespace std::chrono_literals;
using scenarios::Measurement;
using scenarios::NamedTarget;
using Seconds = std::chrono::duration<double>;

// What they have in common: a target, connections and depth, and a run that begins with them.
class TargetCommand : public MeasuringCommand {
 protected:
  TargetCommand(CLI::App& app, const CommandLine& command_line, const std::string& name,
                const std::string& about, std::size_t depth)
      : MeasuringCommand(app, command_line, name, about), depth_(depth) {
    command().add_option("target", target_, "A URL, or the name of a server to start")->required();
    flags::Group load_group(command(), "Load");
    load_group.add_count("--connections", connections_,
                         {.min = 1, .max = load::limits::connections_max}, "Connections");
    load_group.add_count("--depth", depth_, {.min = 1, .max = load::limits::depth_max},
                         "Calls open at once on each connection, at most");
    flags::Group measurement(command(), "Measurement");
    measurement.add_duration(
        "--trial-seconds", seconds_,
        {.min = load::limits::trial_min, .max = load::limits::trial_max, .bare = 1s},
        "Measured time of each closed loop, and of each rate tried");
    measurement.add_duration("--warmup", warmup_, {.max = load::limits::trial_max, .bare = 1s},
                             "Time before that, which is not measured");
  }

  // Measures, and returns the result as the text that follows the report.
  virtual std::string measure_target(Measurement& measurement, const NamedTarget& target) = 0;

  // A closed loop.
  model::Load load() const { return {.connections = connections_, .depth = depth_}; }

 private:
  std::string measure(Measurement& measurement) override {
    model::Run& run = measurement.run;
    const auto target =
        scenarios::parse_target(target_, measurement.options.binaries, run.plan.seed);
    if (!target) throw std::invalid_argument(target.error());
    check_slots(load());
    run.title = command().get_name() + " of " + target_;
    run.plan.rounds = 1;
    run.plan.seconds = seconds_.count();
    run.plan.warmup = warmup_.count();
    return measure_target(measurement, *target);
  }

  std::string target_;
  std::size_t connections_ = 64;
  std::size_t depth_;
  Seconds seconds_{3};
  Seconds warmup_{0.5};
};

class SearchCommand final : public TargetCommand {
 public:
  SearchCommand(CLI::App& app, const CommandLine& command_line)
      : TargetCommand(app, command_line, "search", "Find the greatest rate that meets objectives",
                      16) {
    flags::Group(command(), "Load")
        .add_texts("--objective", objectives_, "THRESHOLD",
                   "What a rate must meet; may be given again")
        .check(check_threshold);
    flags::Group(command(), "Measurement")
        .add_count("--rounds", rounds_, {.min = 1, .max = load::limits::rounds_max},
                   "Trials of each rate");
  }

 private:
  std::string measure_target(Measurement& measurement, const NamedTarget& target) override {
    const scenarios::SearchOptions options{.target = target,
                                           .load = load(),
                                           .objectives = parse_thresholds(objectives_),
                                           .rounds = rounds_};
    measurement.run.plan.rounds = rounds_;
    return to_text(options, scenarios::run_search(measurement, options));
  }

  std::vector<std::string> objectives_{"p99<5ms", "errors<0.1%"};
  std::size_t rounds_ = 3;
};

class OverloadCommand final : public TargetCommand {
 public:
  OverloadCommand(CLI::App& app, const CommandLine& command_line)
      : TargetCommand(app, command_line, "overload",
                      "Offer half, twice and again half of what a target can do", 16) {
    flags::Group(command(), "Load")
        .add_duration("--seconds", overload_,
                      {.min = 500ms, .max = load::limits::trial_max, .bare = 1s},
                      "How long the overload lasts");
  }

 private:
  std::string measure_target(Measurement& measurement, const NamedTarget& target) override {
    measurement.options.interval = 200ms;
    return to_text(scenarios::run_overload(measurement, target, load(), overload_.count()));
  }

  Seconds overload_{10};
};

class SoakCommand final : public TargetCommand {
 public:
  SoakCommand(CLI::App& app, const CommandLine& command_line)
      : TargetCommand(app, command_line, "soak", "A moderate rate for a long time", 16) {
    flags::Group load_group(command(), "Load");
    load_group.add_duration("--minutes", duration_,
                            {.min = 3s, .max = load::limits::trial_max, .bare = 1min},
                            "How long the load lasts");
    load_group.add_share("--share", share_, {.min = 0.01, .max = 1},
                         "The rate, as a share of what a closed loop gets");
  }

 private:
  std::string measure_target(Measurement& measurement, const NamedTarget& target) override {
    return to_text(scenarios::run_soak(measurement, target, load(), share_, duration_.count()));
  }

  Seconds duration_ = std::chrono::minutes(30);
  double share_ = 0.7;
};

class ChurnCommand final : public TargetCommand {
 public:
  ChurnCommand(CLI::App& app, const CommandLine& command_line)
      : TargetCommand(app, command_line, "churn", "Connect, play one round, hang up, again", 1) {
    flags::Group(command(), "Load")
        .add_duration("--seconds", duration_,
                      {.min = 100ms, .max = load::limits::trial_max, .bare = 1s},
                      "How long connections are opened and closed");
  }

 private:
  std::string measure_target(Measurement& measurement, const NamedTarget& target) override {
    scenarios::run_churn(measurement, target, duration_.count());
    return scenarios::churn_text(measurement.run);
  }

  Seconds duration_{10};
};

}  // namespace

std::unique_ptr<Command> search_command(CLI::App& app, const CommandLine& command_line) {
  return std::make_unique<SearchCommand>(app, command_line);
}

std::unique_ptr<Command> overload_command(CLI::App& app, const CommandLine& command_line) {
  return std::make_unique<OverloadCommand>(app, command_line);
}

std::unique_ptr<Command> soak_command(CLI::App& app, const CommandLine& command_line) {
  return std::make_unique<SoakCommand>(app, command_line);
}

std::unique_ptr<Command> churn_command(CLI::App& app, const CommandLine& command_line) {
  return std::make_unique<ChurnCommand>(app, command_line);
}

}  // namespace rps::commands
