#include "bench/commands/compare_command.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "bench/scenarios/compare.hpp"
#include "bench/scenarios/tables.hpp"
#include "core/flags/group.hpp"

namespace rps::commands {

namespace {

std::vector<std::string> names_of(const auto& table, auto member) {
  std::vector<std::string> names;
  for (const auto& entry : table) names.emplace_back(entry.*member);
  return names;
}

std::string profile_help() {
  std::string text;
  for (const scenarios::Profile& profile : scenarios::profiles) {
    text.append(text.empty() ? "How long: " : "; ").append(profile.name);
    text.append(" (").append(profile.about).append(")");
  }
  return text;
}

}  // namespace

CompareCommand::CompareCommand(CLI::App& app, const std::vector<std::string>& command_line)
    : command_(*app.add_subcommand(
          "compare", "Measure the stages side by side and print the articles' tables")),
      common_(command_, command_line) {
  const report::Catalogue catalogue = scenarios::catalogue();
  flags::Group measurement(command_, "Measurement");
  flags::Choices<std::string> names;
  for (const scenarios::Profile& profile : scenarios::profiles)
    names.emplace_back(profile.name, profile.name);
  measurement.add_choice("--profile", profile_, names, profile_help());
  measurement
      .add_texts("--tables", tables_, "TABLE,…",
                 "Only these tables, without the sweeps and the open loops")
      .delimiter(',')
      ->check(CLI::IsMember(names_of(catalogue.tables, &report::TableSpec::key)));
  measurement.add_texts("--subjects", subjects_, "SUBJECT,…", "Only these of the tables' rows")
      .delimiter(',')
      ->check(CLI::IsMember(names_of(catalogue.subjects, &model::Subject::key)));
}

bool CompareCommand::chosen() const {
  return command_.parsed();
}

int CompareCommand::run() {
  auto run = common_.begin();
  if (!run) return 2;
  const scenarios::CompareOptions options{
      .profile = *std::ranges::find(scenarios::profiles, profile_, &scenarios::Profile::name),
      .tables = tables_,
      .subjects = subjects_};
  scenarios::Interrupt interrupt;
  scenarios::run_compare(*run, options, common_.runner(), interrupt);
  return common_.report(*run, "compare");
}

}  // namespace rps::commands
