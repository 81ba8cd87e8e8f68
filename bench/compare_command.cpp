#include "bench/compare_command.hpp"

#include <algorithm>
#include <array>
#include <expected>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string_view>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "bench/load/environment.hpp"
#include "bench/load/limits.hpp"
#include "bench/report/compare_json.hpp"
#include "bench/report/compare_text.hpp"
#include "bench/scenarios/compare.hpp"

namespace rps::load {

namespace {

namespace fs = std::filesystem;

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

// The servers stand beside the harness: that keeps their builds alike.
fs::path own_directory() {
  return fs::read_symlink("/proc/self/exe").parent_path();
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

void warn(const std::string& text) {
  std::cerr << "rps-bench: WARNING: " << text << '\n';
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
  command.add_option("--server-cpu", server_cpu_, "CPU of the servers; the first if not given");
  command.add_option("--load-cpu", load_cpu_, "CPU of the harness; the last if not given");
  command.add_option("--seed", seed_, "Chooses the moves and the order")->capture_default_str();
  command.add_option("--bin", binaries_, "Where the servers are; beside rps-bench if not given");
  command.add_option("--out", out_, "Where the report goes; `report` there if not given");
  command.add_flag("--quiet", quiet_, "No progress");
}

int CompareCommand::run(const std::vector<std::string>& command_line) {
  const auto cpus = plan_cpus(usable_cpus(), server_cpu_, load_cpu_);
  if (!cpus) {
    std::cerr << "rps-bench: " << cpus.error() << '\n';
    return 2;
  }
  const Profile& profile = *std::ranges::find(profiles, profile_, &Profile::name);
  CompareOptions options{.stages = stages_named(stages_),
                         .connections = connections_,
                         .rounds = rounds_.value_or(profile.rounds),
                         .seconds = seconds_.value_or(profile.seconds),
                         .warmup = warmup_.value_or(profile.warmup),
                         .seed = seed_,
                         .cpus = *cpus,
                         .binaries = binaries_.empty() ? own_directory() : fs::path(binaries_),
                         .out = out_.empty() ? own_directory() / "report" : fs::path(out_),
                         .quiet = quiet_};
  std::ranges::sort(options.connections);
  options.connections.erase(std::ranges::unique(options.connections).begin(),
                            options.connections.end());
  fs::create_directories(options.out);
  const Environment environment = read_environment();

  if (const std::string warning = build_warning(); !warning.empty()) warn(warning);
  if (cpus->shared()) warn("server and load share one CPU");
  Interrupt interrupt;
  pin_process(::getpid(), cpus->load);
  const CompareRun result = run_compare(options, interrupt);

  const std::string text = compare_text(result, environment);
  write_file(options.out / "compare.md", text);
  write_file(options.out / "compare.json", compare_json(result, environment, command_line));
  std::cout << text << "\nWritten to " << options.out.string() << ".\n" << std::flush;
  if (result.interrupted) return 130;
  return result.all_valid() ? 0 : 1;
}

}  // namespace rps::load
