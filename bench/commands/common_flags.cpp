#include "bench/commands/common_flags.hpp"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <limits>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "bench/machine/environment.hpp"
#include "bench/report/csv.hpp"
#include "bench/report/html.hpp"
#include "bench/report/junit.hpp"
#include "bench/report/view.hpp"
#include "bench/scenarios/tables.hpp"
#include "core/flags/group.hpp"
#include "core/number.hpp"
#include "core/server/cpus.hpp"

namespace rps::commands {

namespace {

namespace fs = std::filesystem;

fs::path own_directory() {
  return fs::read_symlink("/proc/self/exe").parent_path();
}

void warn(const std::string& text) {
  std::cerr << "rps-bench: WARNING: " << text << '\n';
}

}  // namespace

CommonFlags::CommonFlags(CLI::App& command, std::vector<std::string> command_line)
    : command_line_(std::move(command_line)) {
  constexpr CountRange cpu{.max = std::numeric_limits<int>::max()};
  flags::Group measurement(command, "Measurement");
  measurement.add_number("--server-cpu", server_cpu_, cpu,
                         "CPU of the servers; without it the first that may be used");
  measurement.add_number("--load-cpu", load_cpu_, cpu,
                         "CPU of the harness; without it the last that may be used");
  measurement.add_text("--bin", binaries_, "FOLDER",
                       "Where the servers' binaries are; without it beside rps-bench");
  measurement.add_number("--seed", seed_, {},
                         "Chooses the moves, the arrivals and the order of the cells");

  flags::Group output(command, "Output");
  output
      .add_texts("--threshold", thresholds_, "THRESHOLD",
                 "What must hold, or the exit code is 3: 'p99<5ms', 'grpc/64x1:qps>10k'")
      .check(check_threshold);
  output.add_text("--out", out_, "FOLDER",
                  "Where the report is written; without it `report` beside rps-bench");
  output.add_switch("--quiet", quiet_, "Do not show progress");
}

std::optional<model::Run> CommonFlags::begin() const {
  const auto cpus = machine::plan_cpus(server::usable_cpus().affinity, server_cpu_, load_cpu_);
  if (!cpus) {
    std::cerr << "rps-bench: " << cpus.error() << '\n';
    return std::nullopt;
  }
  if (const std::string warning = machine::build_warning(); !warning.empty()) warn(warning);
  if (cpus->shared()) warn("server and load share one CPU");
  model::Run run{.environment = machine::read_environment(),
                 .plan = {.command_line = command_line_, .seed = seed_, .cpus = *cpus}};
  run.id = run.environment.date + "-" + std::to_string(seed_);
  machine::pin_process(::getpid(), cpus->load);
  return run;
}

scenarios::RunnerOptions CommonFlags::runner() const {
  return {.binaries = binaries_.empty() ? own_directory() : fs::absolute(binaries_),
          .out = out(),
          .quiet = quiet_};
}

int CommonFlags::report(const model::Run& run, const std::string& name,
                        const std::string& more) const {
  const std::vector<model::ThresholdResult> results =
      model::check_thresholds(run, parse_thresholds(thresholds_));
  const fs::path folder = out();
  const report::View view = report::view_of(run, scenarios::catalogue());
  const std::string text = to_text(view) + more;
  write_file(folder / (name + ".json"), model::to_json(run));
  write_file(folder / (name + ".md"), text);
  write_file(folder / (name + ".csv"), report::to_csv(run));
  write_file(folder / (name + ".xml"), report::to_junit(run, results));
  write_file(folder / (name + ".html"), report::to_html(run, view));
  std::cout << text << "\nWritten to " << folder.string() << ": " << name
            << ".html, .md, .json, .csv, .xml\n"
            << std::flush;
  if (run.interrupted) return 130;
  if (!run.all_valid()) return 1;
  for (const model::ThresholdResult& each : results) {
    if (!each.passed) std::cerr << "rps-bench: NOT MET: " << each.sentence() << '\n';
  }
  return std::ranges::all_of(results, &model::ThresholdResult::passed) ? 0 : 3;
}

fs::path CommonFlags::out() const {
  const fs::path directory = out_.empty() ? own_directory() / "report" : fs::path(out_);
  fs::create_directories(directory);
  return directory;
}

std::string check_threshold(const std::string& text) {
  const auto threshold = model::parse_threshold(text);
  return threshold ? std::string() : threshold.error();
}

std::vector<model::Threshold> parse_thresholds(const std::vector<std::string>& texts) {
  std::vector<model::Threshold> thresholds;
  for (const std::string& text : texts) thresholds.push_back(*model::parse_threshold(text));
  return thresholds;
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace rps::commands
