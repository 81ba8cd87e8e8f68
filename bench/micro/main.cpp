// rps-micro: what single functions cost. `rps-micro --benchmark_filter=judge`
//
// Its flags are google-benchmark's and those of a stored baseline:
//
//   rps-micro --baseline-write before.json      runs everything repeatedly and stores the times
//   rps-micro --baseline before.json            runs it again and says what has changed
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <benchmark/benchmark.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/machine/environment.hpp"
#include "bench/micro/baseline.hpp"
#include "bench/micro/benchmarks.hpp"
#include "core/flags/group.hpp"
#include "core/net/fd.hpp"
#include "core/net/file.hpp"
#include "core/net/program.hpp"
#include "core/net/terminal.hpp"
#include "core/number.hpp"

namespace rps::micro {

namespace {

constexpr int exit_usage = 2;
constexpr double benchmark_seconds_max = 3600;

// Keeps the time of every repetition, and shows the medians as google-benchmark does.
class Keeper final : public benchmark::ConsoleReporter {
 public:
  Keeper() : ConsoleReporter(OO_Tabular) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) keep(run);
    std::vector<Run> shown = runs;
    if (runs.front().repetitions > 1)
      std::erase_if(shown, [](const Run& run) {
        return !run.error_occurred && run.aggregate_name != "median";
      });
    if (!shown.empty()) ConsoleReporter::ReportRuns(shown);
  }

  const MicroTimes& times() const { return times_; }
  bool has_failed() const { return has_failed_; }

 private:
  void keep(const Run& run) {
    has_failed_ |= run.error_occurred;
    if (run.run_type != Run::RT_Iteration || run.error_occurred) return;
    const bool in_wall_time = run.run_name.time_type == "real_time";
    const double in_units = in_wall_time ? run.GetAdjustedRealTime() : run.GetAdjustedCPUTime();
    const double nanoseconds = in_units * 1e9 / benchmark::GetTimeUnitMultiplier(run.time_unit);
    times_[run.benchmark_name()].push_back(nanoseconds);
  }

  MicroTimes times_;
  bool has_failed_ = false;
};

struct Flags {
  std::string baseline;
  std::string baseline_write;
  double alpha = 0.01;
  bool fail_on_slower = false;

  bool uses_baseline() const { return !baseline.empty() || !baseline_write.empty(); }
};

void add_benchmarks() {
  add_core_benchmarks();
  add_session_benchmarks();
  add_queue_benchmarks();
  add_load_benchmarks();
  add_loop_benchmarks();
  add_cli_benchmarks();
#if RPS_HAVE_STAGE2
  add_codec_benchmarks();
  add_jsonrpc_benchmarks();
#endif
#if RPS_HAVE_STAGE3
  add_grpc_benchmarks();
  add_chain_benchmarks();
#endif
}

Baseline read_baseline(const std::string& path) {
  const auto text = net::read_file(path);
  if (!text) throw std::runtime_error(path + " " + text.error());
  auto baseline = parse_baseline(*text);
  if (!baseline) throw std::runtime_error(path + ": " + baseline.error());
  return *std::move(baseline);
}

void require_written(const std::string& path, const std::error_code& error) {
  if (error) throw std::system_error(error, "cannot write " + path);
}

// Many short repetitions in random order, so that what disturbs a second disturbs a little of
// everything. The caller's own flags come behind these and win.
std::vector<std::string> with_repetitions(std::vector<std::string> arguments) {
  constexpr std::array<const char*, 3> ours{"--benchmark_repetitions=15",
                                            "--benchmark_min_time=0.05",
                                            "--benchmark_enable_random_interleaving=true"};
  arguments.insert(arguments.begin(), ours.begin(), ours.end());
  return arguments;
}

// google-benchmark reads a number as strtod() and strtol() do, prints its usage and exits with 0
// for an unknown format, and takes an unknown word for true. So these flags are checked before it
// reads them. A flag without "=" is left to it.
struct LibraryChoice {
  std::string_view flag;
  std::array<std::string_view, 4> values;  // Empty ones are none.
};

constexpr std::array<LibraryChoice, 8> library_choices{
    {{"--benchmark_format", {"console", "json", "csv"}},
     {"--benchmark_out_format", {"console", "json", "csv"}},
     {"--benchmark_time_unit", {"ns", "us", "ms", "s"}},
     {"--benchmark_color", {"auto", "true", "false"}},
     {"--benchmark_enable_random_interleaving", {"true", "false"}},
     {"--benchmark_report_aggregates_only", {"true", "false"}},
     {"--benchmark_display_aggregates_only", {"true", "false"}},
     {"--benchmark_counters_tabular", {"true", "false"}}}};

// The end of a sentence that begins with the flag; nothing when `value` is one of the choices.
std::string refuse_choice(const LibraryChoice& choice, std::string_view value) {
  std::string names;
  for (const std::string_view name : choice.values) {
    if (name.empty()) break;
    if (name == value) return {};
    names.append(names.empty() ? "" : "|").append(name);
  }
  return "must be one of " + names + ", not '" + std::string(value) + "'";
}

std::string refuse_count(std::string_view value, CountRange range) {
  const auto count = parse_count(value, range);
  return count ? std::string() : count.error();
}

std::string refuse_seconds(std::string_view value, bool may_be_none) {
  const double seconds = parse_number<double>(value).value_or(-1);
  if (seconds <= benchmark_seconds_max && (may_be_none ? seconds >= 0 : seconds > 0)) return {};
  return "must be a number of seconds " + std::string(may_be_none ? "from 0" : "above 0") +
         ", up to " + number_text(benchmark_seconds_max) + ", not '" + std::string(value) + "'";
}

// The same for any flag; nothing when it is none of those above.
std::string refuse(std::string_view flag, std::string_view value) {
  if (flag == "--benchmark_repetitions") return refuse_count(value, {.min = 1, .max = 1'000'000});
  if (flag == "--v") return refuse_count(value, {.max = 9});
  if (flag == "--benchmark_min_time") return refuse_seconds(value, false);
  if (flag == "--benchmark_min_warmup_time") return refuse_seconds(value, true);
  const auto* const choice = std::ranges::find(library_choices, flag, &LibraryChoice::flag);
  return choice == library_choices.end() ? std::string() : refuse_choice(*choice, value);
}

// Throws std::invalid_argument.
void check_library_flag(std::string_view argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos) return;
  const std::string_view flag = argument.substr(0, equals);
  const std::string_view value = argument.substr(equals + 1);
  const std::string refusal = refuse(flag, value);
  if (!refusal.empty()) throw std::invalid_argument(std::string(flag) + ": " + refusal);
}

// google-benchmark knows TERM, but not NO_COLOR. The caller's own flags come behind this.
void add_color_flag(std::vector<std::string>& arguments) {
  if (net::shows_color(STDOUT_FILENO)) return;
  arguments.insert(arguments.begin(), "--benchmark_color=false");
}

// google-benchmark's own report into a file (--benchmark_out, or the environment's BENCHMARK_OUT).
// The library empties the file before it measures, and does not notice when it cannot write to it.
// So it writes into memory, and the file is written at the end.
class LibraryReport {
 public:
  // Puts memory in the place of the file. Throws std::system_error when the file cannot be written,
  // or there is no such memory.
  explicit LibraryReport(std::vector<std::string>& arguments) : path_(take_path(arguments)) {
    if (path_.empty()) return;
    require_written(path_, net::try_write_file(path_));
    memory_ = net::Fd(::memfd_create("benchmark_out", MFD_CLOEXEC));
    if (!memory_) throw std::system_error(errno, std::system_category(), "memfd_create");
    arguments.push_back(std::string(flag) + memory());
  }

  // Throws std::exception. Without a report, as when benchmarks were only listed, the file stays.
  void write() const {
    if (path_.empty()) return;
    const auto text = net::read_file(memory());
    if (!text) throw std::runtime_error(path_ + ": the report " + text.error());
    if (!text->empty()) require_written(path_, net::write_file(path_, *text));
  }

 private:
  static constexpr std::string_view flag = "--benchmark_out=";

  // The last one counts, as in the library.
  static std::string take_path(std::vector<std::string>& arguments) {
    const char* const variable = std::getenv("BENCHMARK_OUT");
    std::string path = variable == nullptr ? "" : variable;
    std::erase_if(arguments, [&](const std::string& argument) {
      const bool is_ours = argument.starts_with(flag);
      if (is_ours) path = argument.substr(flag.size());
      return is_ours;
    });
    return path;
  }

  std::string memory() const { return "/proc/self/fd/" + std::to_string(memory_.get()); }

  std::string path_;  // Empty: there is none.
  net::Fd memory_;
};

// False when google-benchmark does not know one of them. It keeps `program`, and copies the others.
bool initialize_library(char* program, std::vector<std::string> arguments) {
  std::vector<char*> pointers{program};
  for (std::string& argument : arguments) {
    check_library_flag(argument);
    pointers.push_back(argument.data());
  }
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  return !benchmark::ReportUnrecognizedArguments(count, pointers.data());
}

// Null: google-benchmark's own reporter. False when none is chosen.
bool run_benchmarks(benchmark::BenchmarkReporter* reporter) {
  if (benchmark::RunSpecifiedBenchmarks(reporter) > 0) return true;
  std::cerr << "rps-micro: --benchmark_filter chooses none; --benchmark_list_tests lists them\n";
  return false;
}

// Shows what has changed since `before`, if there is one. The exit code.
int judge(const Flags& flags, const Baseline& before, const Baseline& now, bool has_failed) {
  if (has_failed || now.times.empty()) return 1;
  if (flags.baseline.empty()) return 0;
  const MicroComparison comparison = compare_micro(before.times, now.times, flags.alpha);
  std::cout << '\n' << render(comparison, before.environment, now.environment) << std::flush;
  if (const std::size_t needed = repetitions_for(flags.alpha); comparison.repetitions < needed) {
    std::cerr << "rps-micro: WARNING: a change shows with " << needed << " repetitions or more\n";
  }
  return flags.fail_on_slower && comparison.has_slower() ? 1 : 0;
}

int run_with_baseline(const Flags& flags) {
  // Tried first: who waited for a minute should not be told then that there is no such file.
  Baseline before;
  if (!flags.baseline.empty()) before = read_baseline(flags.baseline);
  const std::string& path = flags.baseline_write;
  if (!path.empty()) require_written(path, net::try_write_file(path));
  Keeper keeper;
  if (!run_benchmarks(&keeper)) return exit_usage;
  const Baseline now{.environment = machine::read_environment(), .times = keeper.times()};
  const std::error_code unwritten =
      path.empty() ? std::error_code() : net::write_file(path, to_json(now));
  const int exit_code = judge(flags, before, now, keeper.has_failed());
  require_written(path, unwritten);  // At the end: what was measured is shown in any case.
  return exit_code;
}

int run_plainly() {
  return run_benchmarks(nullptr) ? 0 : exit_usage;
}

int run(const Flags& flags) {
  add_benchmarks();
  const int result = flags.uses_baseline() ? run_with_baseline(flags) : run_plainly();
  benchmark::Shutdown();
  return result;
}

int run(int argc, char** argv) {
  CLI::App app(
      "What single functions cost. Takes google-benchmark's flags, too:\n"
      "--benchmark_filter=REGEX, --benchmark_list_tests, --benchmark_format=json …");
  app.allow_extras();
  Flags options;
  flags::Group baseline(app, "Baseline");
  baseline.add_text("--baseline-write", options.baseline_write, "FILE",
                    "Repeat everything and store the times in FILE");
  baseline.add_text("--baseline", options.baseline, "FILE",
                    "Repeat everything and compare the times with those stored in FILE");
  baseline.add_share("--alpha", options.alpha, {.min = 1e-9, .max = 0.5},
                     "Call different what chance shows less often than this");
  baseline.add_switch("--fail-on-slower", options.fail_on_slower,
                      "Exit with 1 when something is slower");
  if (const auto exit_code = flags::parse(app, argc, argv, "rps-micro")) return *exit_code;
  if (const auto warning = machine::build_warning(); !warning.empty()) {
    std::cerr << "rps-micro: WARNING: " << warning << '\n';
  }
  std::vector<std::string> arguments = app.remaining();
  const LibraryReport report(arguments);
  add_color_flag(arguments);
  if (options.uses_baseline()) arguments = with_repetitions(std::move(arguments));
  if (!initialize_library(argv[0], std::move(arguments))) return 2;
  const int exit_code = run(options);
  report.write();
  return exit_code;
}

}  // namespace

}  // namespace rps::micro

int main(int argc, char** argv) {
  return rps::net::run_program("rps-micro", [&] { return rps::micro::run(argc, argv); });
}
