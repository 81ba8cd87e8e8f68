// rps-micro: what single functions cost. `rps-micro --benchmark_filter=judge`
//
// Its flags are google-benchmark's and those of a stored baseline:
//
//   rps-micro --baseline-write before.json      runs everything repeatedly and stores the times
//   rps-micro --baseline before.json            runs it again and says what has changed
#include <array>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <benchmark/benchmark.h>

#include "bench/machine/environment.hpp"
#include "bench/micro/baseline.hpp"
#include "bench/micro/benchmarks.hpp"
#include "core/flags/group.hpp"
#include "core/net/file.hpp"

namespace rps::micro {

namespace {

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
#endif
}

Baseline read_baseline(const std::string& path) {
  const auto text = net::read_file(path);
  if (!text) throw std::runtime_error("cannot read " + path);
  auto baseline = parse_baseline(*text);
  if (!baseline) throw std::runtime_error(path + ": " + baseline.error());
  return *std::move(baseline);
}

void write_baseline(const std::string& path, const Baseline& baseline) {
  std::ofstream file(path, std::ios::binary);
  if (!(file << to_json(baseline) << std::flush)) throw std::runtime_error("cannot write " + path);
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

// False when google-benchmark does not know one of them. It keeps `program`, and copies the others.
bool initialize_library(char* program, std::vector<std::string> arguments) {
  std::vector<char*> pointers{program};
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  return !benchmark::ReportUnrecognizedArguments(count, pointers.data());
}

int run_with_baseline(const Flags& flags) {
  // Read first: who waited for a minute should not be told then that there is no such file.
  Baseline before;
  if (!flags.baseline.empty()) before = read_baseline(flags.baseline);
  Keeper keeper;
  benchmark::RunSpecifiedBenchmarks(&keeper);
  const Baseline now{.environment = machine::read_environment(), .times = keeper.times()};
  if (!flags.baseline_write.empty()) write_baseline(flags.baseline_write, now);
  if (keeper.has_failed() || now.times.empty()) return 1;
  if (flags.baseline.empty()) return 0;
  const MicroComparison comparison = compare_micro(before.times, now.times, flags.alpha);
  std::cout << '\n' << render(comparison, before.environment, now.environment) << std::flush;
  if (const std::size_t needed = repetitions_for(flags.alpha); comparison.repetitions < needed) {
    std::cerr << "rps-micro: WARNING: a change shows with " << needed << " repetitions or more\n";
  }
  return flags.fail_on_slower && comparison.has_slower() ? 1 : 0;
}

int run(const Flags& flags) {
  add_benchmarks();
  const int result =
      flags.uses_baseline() ? run_with_baseline(flags) : (benchmark::RunSpecifiedBenchmarks(), 0);
  benchmark::Shutdown();
  return result;
}

}  // namespace

}  // namespace rps::micro

int main(int argc, char** argv) {
  using namespace rps::micro;
  CLI::App app(
      "What single functions cost. Takes google-benchmark's flags, too:\n"
      "--benchmark_filter=REGEX, --benchmark_list_tests, --benchmark_format=json …");
  app.allow_extras();
  Flags flags;
  rps::flags::Group baseline(app, "Baseline");
  baseline.add_text("--baseline-write", flags.baseline_write, "FILE",
                    "Repeat everything and store the times in FILE");
  baseline.add_text("--baseline", flags.baseline, "FILE",
                    "Repeat everything and compare the times with those stored in FILE");
  baseline.add_share("--alpha", flags.alpha, {.min = 1e-9, .max = 0.5},
                     "Call different what chance shows less often than this");
  baseline.add_switch("--fail-on-slower", flags.fail_on_slower,
                      "Exit with 1 when something is slower");
  try {
    if (const auto exit_code = rps::flags::parse(app, argc, argv, "rps-micro")) return *exit_code;
    if (const auto warning = rps::machine::build_warning(); !warning.empty()) {
      std::cerr << "rps-micro: WARNING: " << warning << '\n';
    }
    std::vector<std::string> arguments = app.remaining();
    if (flags.uses_baseline()) arguments = with_repetitions(std::move(arguments));
    if (!initialize_library(argv[0], std::move(arguments))) return 2;
    return run(flags);
  } catch (const std::exception& error) {
    std::cerr << "rps-micro: " << error.what() << '\n';
    return 1;
  }
}
