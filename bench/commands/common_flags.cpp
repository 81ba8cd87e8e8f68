#include "bench/commands/common_flags.hpp"

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <limits>
#include <stdexcept>
#include <system_error>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "bench/machine/environment.hpp"
#include "bench/report/csv.hpp"
#include "bench/report/html.hpp"
#include "bench/report/junit.hpp"
#include "bench/report/view.hpp"
#include "bench/scenarios/tables.hpp"
#include "core/flags/group.hpp"
#include "core/net/file.hpp"
#include "core/net/terminal.hpp"
#include "core/number.hpp"
#include "core/server/cpus.hpp"

namespace rps::commands {

namespace {

namespace fs = std::filesystem;

// Throws std::runtime_error where the system does not tell.
fs::path own_directory() {
  std::error_code failure;
  const fs::path self = fs::read_symlink("/proc/self/exe", failure);
  if (!failure) return self.parent_path();
  throw std::runtime_error("cannot find out where rps-bench is (/proc/self/exe: " +
                           failure.message() + "): --bin and --out must be given");
}

void warn(const std::string& text) {
  std::cerr << "rps-bench: WARNING: " << text << '\n';
}

std::error_code access_to(const fs::path& file) {
  if (::access(file.c_str(), W_OK) == 0) return {};
  return {errno, std::system_category()};
}

// Makes the folder. Throws std::system_error when a report or a server's log could not be written
// there.
void require_writable(const fs::path& folder) {
  const auto require = [](const fs::path& path, const std::error_code& error) {
    if (error) throw std::system_error(error, "--out: cannot write to " + path.string());
  };
  std::error_code failure;
  fs::create_directories(folder, failure);
  require(folder, failure);
  require(folder, net::try_write_file(folder / "rps-bench"));
  for (const fs::directory_entry& file : fs::directory_iterator(folder)) {
    if (file.path().extension() == ".log") require(file, access_to(file));
  }
}

// Without binaries everything would be "not built here".
void require_folder(const std::string& binaries) {
  if (binaries.empty() || fs::is_directory(binaries)) return;
  throw std::invalid_argument("--bin: " + binaries + " is no folder");
}

report::ProgressStyle progress_style(bool is_quiet) {
  if (is_quiet) return report::ProgressStyle::quiet;
  return net::obeys_control_sequences(STDERR_FILENO) ? report::ProgressStyle::live
                                                     : report::ProgressStyle::lines;
}

struct Report {
  const char* ending;
  std::string text;
};

// Writes each to `stem` with its ending. When some cannot be written, it says why of the first, and
// returns false.
bool write_all(const fs::path& stem, const std::vector<Report>& reports) {
  std::string complaint;
  for (const Report& report : reports) {
    const std::string path = stem.string() + report.ending;
    const std::error_code error = net::write_file(path, report.text);
    if (error && complaint.empty()) complaint = "cannot write " + path + ": " + error.message();
  }
  if (!complaint.empty()) std::cerr << "rps-bench: " << complaint << '\n';
  return complaint.empty();
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
  require_writable(out());
  require_folder(binaries_);
  const auto cpus = machine::plan_cpus(server::usable_cpus().affinity, server_cpu_, load_cpu_);
  if (!cpus) {
    std::cerr << "rps-bench: " << cpus.error() << '\n';
    return std::nullopt;
  }
  if (const std::string warning = machine::build_warning(); !warning.empty()) warn(warning);
  if (cpus->shared()) warn("server and load share one CPU");
  model::Run run{.environment = machine::read_environment(),
                 .plan = {.command_line = command_line_, .seed = seed_}};
  run.id = run.environment.date + "-" + std::to_string(seed_);
  if (machine::pin_process(::getpid(), cpus->load)) {
    run.plan.cpus = *cpus;
  } else {
    warn("this process cannot be tied to CPU " + std::to_string(cpus->load) + ": none is tied");
  }
  return run;
}

scenarios::RunnerOptions CommonFlags::runner() const {
  return {.binaries = binaries_.empty() ? own_directory() : fs::absolute(binaries_),
          .out = out(),
          .progress = progress_style(quiet_)};
}

int CommonFlags::report(const model::Run& run, const std::string& name,
                        const std::string& more) const {
  const std::vector<model::ThresholdResult> results =
      model::check_thresholds(run, parse_thresholds(thresholds_));
  const fs::path folder = out();
  const report::View view = report::view_of(run, scenarios::catalogue());
  const std::string text = to_text(view) + more;
  std::cout << text << '\n';
  const bool is_written = write_all(folder / name, {{".json", model::to_json(run)},
                                                    {".md", text},
                                                    {".csv", report::to_csv(run)},
                                                    {".xml", report::to_junit(run, results)},
                                                    {".html", report::to_html(run, view)}});
  if (is_written) {
    std::cout << "Written to " << folder.string() << ": " << name
              << ".html, .md, .json, .csv, .xml\n";
  }
  if (run.interrupted) return 130;
  if (!run.all_valid()) {
    std::cerr << "rps-bench: "
              << (run.trials.empty() ? "nothing was measured" : "not every trial was valid")
              << "; the tables say why\n";
  }
  if (!run.all_valid() || !is_written) return 1;
  for (const model::ThresholdResult& each : results) {
    if (!each.passed) std::cerr << "rps-bench: NOT MET: " << each.sentence() << '\n';
  }
  return std::ranges::all_of(results, &model::ThresholdResult::passed) ? 0 : 3;
}

fs::path CommonFlags::out() const {
  return out_.empty() ? own_directory() / "report" : fs::path(out_);
}

std::function<std::string(const std::string&)> one_of(std::vector<std::string> names) {
  return [names = std::move(names)](const std::string& text) -> std::string {
    if (std::ranges::find(names, text) != names.end()) return {};
    return "must be one of " + CLI::detail::join(names, "|") + ", not '" + text + "'";
  };
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
  if (const std::error_code error = net::write_file(path, text)) {
    throw std::system_error(error, "cannot write " + path.string());
  }
}

}  // namespace rps::commands
