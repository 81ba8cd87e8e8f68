#include "bench/compare_command.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <string_view>

#include <CLI/CLI.hpp>

#include "bench/load/environment.hpp"
#include "bench/load/limits.hpp"
#include "bench/report/compare_json.hpp"
#include "bench/report/compare_text.hpp"
#include "bench/scenarios/compare.hpp"

namespace rps::load {

namespace {

struct Profile {
  std::string_view name;
  std::size_t rounds;
  double seconds;
  double warmup;
};

// `default` stays below three minutes with all stages, `quick` below forty seconds.
constexpr std::array<Profile, 2> profiles{
    {{.name = "default", .rounds = 6, .seconds = 1.5, .warmup = 0.5},
     {.name = "quick", .rounds = 3, .seconds = 0.7, .warmup = 0.2}}};

std::vector<std::string> names_of(const auto& table, auto member) {
  std::vector<std::string> names;
  for (const auto& entry : table) names.emplace_back(entry.*member);
  return names;
}

std::vector<Stage> stages_named(const std::vector<std::string>& keys) {
  std::vector<Stage> stages;
  std::ranges::copy_if(all_stages, std::back_inserter(stages), [&](const Stage& stage) {
    return keys.empty() || std::ranges::find(keys, stage.key) != keys.end();
  });
  return stages;
}

}  // namespace

CompareCommand::CompareCommand(CLI::App& app) {
  CLI::App& command = *app.add_subcommand(
      "compare", "Measure the stages side by side and print the articles' table");
  command.add_option("--profile", profile_, "How long: default (3 min) or quick (40 s)")
      ->check(CLI::IsMember(names_of(profiles, &Profile::name)));
  command.add_option("--rounds", rounds_, "Interleaved rounds; overrides the profile")
      ->check(CLI::Range(std::size_t{1}, limits::rounds_max));
  command.add_option("--seconds", seconds_, "Measured seconds of a trial; overrides the profile")
      ->check(CLI::Range(0.01, limits::trial_seconds_max));
  command.add_option("--warmup", warmup_, "Seconds before those; overrides the profile")
      ->check(CLI::Range(0.0, limits::trial_seconds_max));
  command.add_option("--connections", connections_, "Loads to measure at")
      ->delimiter(',')
      ->check(CLI::Range(std::size_t{1}, limits::connections_max))
      ->capture_default_str();
  command.add_option("--stages", stages_, "Only these, in the order of the house")
      ->delimiter(',')
      ->check(CLI::IsMember(names_of(all_stages, &Stage::key)));
  command.add_option("--seed", seed_, "Chooses the moves and the order")->capture_default_str();
  common_.add_to(command);
}

int CompareCommand::run(const std::vector<std::string>& commandline) {
  const auto cpus = common_.take_cpus();
  if (!cpus) return 2;
  const Profile& profile = *std::ranges::find(profiles, profile_, &Profile::name);
  CompareOptions options{.stages = stages_named(stages_),
                         .connections = connections_,
                         .rounds = rounds_.value_or(profile.rounds),
                         .seconds = seconds_.value_or(profile.seconds),
                         .warmup = warmup_.value_or(profile.warmup),
                         .seed = seed_,
                         .cpus = cpus,
                         .binaries = common_.binaries(),
                         .out = common_.out(),
                         .quiet = common_.quiet()};
  std::ranges::sort(options.connections);
  options.connections.erase(std::ranges::unique(options.connections).begin(),
                            options.connections.end());
  const Environment environment = read_environment();
  Interrupt interrupt;
  const CompareRun result = run_compare(options, interrupt);

  const std::string text = compare_text(result, environment);
  write_file(options.out / "compare.md", text);
  write_file(options.out / "compare.json", compare_json(result, environment, commandline));
  std::cout << text << "\nWritten to " << options.out.string() << ".\n" << std::flush;
  if (result.interrupted) return 130;
  return result.all_valid() ? 0 : 1;
}

}  // namespace rps::load
