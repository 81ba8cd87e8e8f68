#include <algorithm>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "bench/commands/commands.hpp"
#include "bench/report/csv.hpp"
#include "bench/report/diff.hpp"
#include "bench/report/html.hpp"
#include "bench/report/junit.hpp"
#include "bench/report/view.hpp"
#include "bench/scenarios/tables.hpp"
#include "core/flags/group.hpp"
#include "core/net/file.hpp"

namespace rps::commands {

namespace {

// What stands around the part of a page that `report --into` writes.
constexpr std::string_view begin_mark = "<!-- measured: begin -->\n";
constexpr std::string_view end_mark = "<!-- measured: end -->\n";

std::string read_file(const std::string& path) {
  auto text = net::read_file(path);
  if (!text) throw std::runtime_error(path + " " + text.error());
  return *std::move(text);
}

model::Run read_run(const std::string& path) {
  auto run = model::parse_run(read_file(path));
  if (!run) throw std::runtime_error(path + ": " + run.error());
  return *std::move(run);
}

// The level of the last heading in `page`; 0 when there is none.
std::size_t heading_level(std::string_view page) {
  const std::size_t newline = page.rfind("\n#");
  page.remove_prefix(newline == page.npos ? 0 : newline + 1);
  return std::min(page.find_first_not_of('#'), page.size());
}

// `text`, which is Markdown, with each heading `levels` deeper. Fenced blocks stay as they are.
std::string with_deeper_headings(const std::string& text, std::size_t levels) {
  std::istringstream lines(text);
  std::string out;
  bool is_fenced = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) is_fenced = !is_fenced;
    if (!is_fenced && line.starts_with('#')) out.append(levels, '#');
    out.append(line).append("\n");
  }
  return out;
}

void write_into(const std::string& path, const std::string& text) {
  std::string page = read_file(path);
  const std::size_t begin = page.find(begin_mark);
  const std::size_t end = page.find(end_mark);
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    throw std::runtime_error(path + " has no lines '<!-- measured: begin -->' and ': end -->'");
  }
  const std::size_t from = begin + begin_mark.size();
  const std::size_t levels = heading_level(std::string_view(page).substr(0, begin));
  page.replace(from, end - from, "\n" + with_deeper_headings(text, levels) + "\n");
  write_file(path, page);
}

class ReportCommand final : public Command {
 public:
  explicit ReportCommand(CLI::App& app);

  int run() override;

 private:
  std::string text() const;

  std::string file_;
  std::string format_ = "text";
  std::vector<std::string> tables_;
  bool tables_only_ = false;
  std::string into_;
};

ReportCommand::ReportCommand(CLI::App& app) : Command(app, "report", "Show a stored run again") {
  command().add_option("file", file_, "A .json that a command wrote")->required();
  flags::Group output(command(), "Output");
  output.add_choice(
      "--format", format_,
      {{"text", "text"}, {"html", "html"}, {"csv", "csv"}, {"json", "json"}, {"junit", "junit"}},
      "Format in which the run is shown");
  output
      .add_texts("--tables", tables_, "TABLE,…",
                 "Only these of the articles' tables, as --tables of compare names them")
      .delimiter(',')
      ->check(one_of(names_of(scenarios::catalogue().tables, &report::TableSpec::key)));
  output.add_switch("--tables-only", tables_only_,
                    "Leave out notes, verdicts and what to read with care");
  output.add_text("--into", into_, "FILE",
                  "Write between '<!-- measured: begin -->' and '<!-- measured: end -->' of this "
                  "page instead of to stdout");
}

std::string ReportCommand::text() const {
  model::Run run = read_run(file_);
  if (!tables_.empty()) run.tables = tables_;
  if (format_ == "csv") return report::to_csv(run);
  if (format_ == "json") return model::to_json(run);
  if (format_ == "junit") return report::to_junit(run, {});
  report::View view = report::view_of(run, scenarios::catalogue());
  if (tables_only_) view = report::without_words(std::move(view));
  return format_ == "html" ? report::to_html(run, view) : to_text(view);
}

int ReportCommand::run() {
  if (into_.empty()) {
    std::cout << text() << std::flush;
  } else {
    write_into(into_, text());
  }
  return 0;
}

class DiffCommand final : public Command {
 public:
  explicit DiffCommand(CLI::App& app);

  int run() override;

 private:
  std::string base_;
  std::string now_;
  std::optional<double> max_regression_;  // A share.
};

DiffCommand::DiffCommand(CLI::App& app)
    : Command(app, "diff", "Compare two stored runs, cell by cell") {
  command().add_option("base", base_, "The run to compare with")->required();
  command().add_option("new", now_, "The run to be judged")->required();
  flags::Group(command(), "Output")
      .add_share("--max-regression", max_regression_, {.min = 0, .max = 10},
                 "The exit code is 3 when a figure got worse by more than this, beyond doubt");
}

int DiffCommand::run() {
  const report::Diff diff = report::diff_of(read_run(base_), read_run(now_));
  std::cout << to_text(diff) << std::flush;
  if (!max_regression_) return 0;
  const std::vector<std::string> worse = report::regressions(diff, *max_regression_);
  for (const std::string& sentence : worse) {
    std::cerr << "rps-bench: REGRESSION: " << sentence << '\n';
  }
  return worse.empty() ? 0 : 3;
}

}  // namespace

std::unique_ptr<Command> report_command(CLI::App& app) {
  return std::make_unique<ReportCommand>(app);
}

std::unique_ptr<Command> diff_command(CLI::App& app) {
  return std::make_unique<DiffCommand>(app);
}

}  // namespace rps::commands
