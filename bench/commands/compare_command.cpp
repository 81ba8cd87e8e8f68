#include <algorithm>

#include <CLI/CLI.hpp>

#include "bench/commands/commands.hpp"
#include "bench/scenarios/compare.hpp"
#include "bench/scenarios/tables.hpp"
#include "core/flags/group.hpp"

namespace rps::commands {

namespace {

std::string profile_help() {
  std::string text;
  for (const scenarios::Profile& profile : scenarios::profiles) {
    text.append(text.empty() ? "How long: " : "; ").append(profile.name);
    text.append(" (").append(profile.about).append(")");
  }
  return text;
}

class CompareCommand final : public MeasuringCommand {
 public:
  CompareCommand(CLI::App& app, const CommandLine& command_line);

 private:
  std::string measure(scenarios::Measurement& measurement) override;

  std::string profile_ = "default";
  std::vector<std::string> tables_;    // Empty: all.
  std::vector<std::string> subjects_;  // Empty: all.
};

CompareCommand::CompareCommand(CLI::App& app, const CommandLine& command_line)
    : MeasuringCommand(app, command_line, "compare",
                       "Measure the stages side by side and print the articles' tables") {
  const report::Catalogue catalogue = scenarios::catalogue();
  flags::Group measurement(command(), "Measurement");
  flags::Choices<std::string> names;
  for (const scenarios::Profile& profile : scenarios::profiles)
    names.emplace_back(profile.name, profile.name);
  measurement.add_choice("--profile", profile_, names, profile_help());
  measurement
      .add_texts("--tables", tables_, "TABLE,…",
                 "Only these tables, without the sweeps and the open loops: " +
                     CLI::detail::join(names_of(catalogue.tables, &report::TableSpec::key), ", "))
      .delimiter(',')
      ->check(one_of(names_of(catalogue.tables, &report::TableSpec::key)));
  measurement
      .add_texts("--subjects", subjects_, "SUBJECT,…",
                 "Only these of the tables' rows: " +
                     CLI::detail::join(names_of(catalogue.subjects, &model::Subject::key), ", "))
      .delimiter(',')
      ->check(one_of(names_of(catalogue.subjects, &model::Subject::key)));
}

std::string CompareCommand::measure(scenarios::Measurement& measurement) {
  const scenarios::CompareOptions options{
      .profile = *std::ranges::find(scenarios::profiles, profile_, &scenarios::Profile::name),
      .tables = tables_,
      .subjects = subjects_};
  scenarios::run_compare(measurement, options);
  return {};
}

}  // namespace

std::unique_ptr<Command> compare_command(CLI::App& app, const CommandLine& command_line) {
  return std::make_unique<CompareCommand>(app, command_line);
}

}  // namespace rps::commands
