#include "bench/scenarios/compare.hpp"

#include <filesystem>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "bench/report/compare_json.hpp"
#include "bench/report/compare_summary.hpp"
#include "bench/report/compare_text.hpp"
#include "bench/report/format.hpp"
#include "bench/report/table.hpp"
#include "tests/catch.hpp"

using namespace rps::load;

namespace {

const Environment somewhere{.date = "2030-01-02T03:04:05Z",
                            .kernel = "Linux 6.1.0 x86_64",
                            .cpu = "A processor whose name is longer than most of them ever are",
                            .compiler = "gcc 12.2.0",
                            .build = "Release",
                            .revision = "0123456+",
                            .cores = 2};

// A trial as slow and as wordy as can be, to try the widths.
Trial wide_trial(std::size_t round, const Stage& stage) {
  const double spread = 1 + 0.1 * static_cast<double>(round);
  Trial trial{.valid = true,
              .requests = 123'456,
              .seconds = 1.5,
              .per_second = 98'765.4 * spread,
              .mean_ns = 1.0234e6 * spread,
              .p50_ns = 999'900.0,
              .p90_ns = 1.1e6,
              .p99_ns = 123.4e6,
              .p999_ns = {},
              .max_ns = 2e9,
              .server_cpu_us_per_request = 123.4 * spread,
              .server_cpu_share = 0.993,
              .load_cpu_share = 0.712,
              .server_rss_peak_bytes = 12'345'678};
  if (stage.has_observer) trial.observer_active = true;
  return trial;
}

// All stages, two loads, two rounds, nothing measured in truth.
CompareRun made_up_run() {
  CompareRun run;
  run.options.rounds = 2;
  run.options.cpus = CpuPlan{.server = 0, .load = 1};
  for (std::size_t stage = 0; stage < run.options.stages.size(); ++stage) {
    run.is_built.push_back(true);
    for (const std::size_t connections : run.options.connections) {
      for (std::size_t round = 0; round < run.options.rounds; ++round) {
        run.trials.push_back({.stage = stage,
                              .connections = connections,
                              .round = round,
                              .order = run.trials.size(),
                              .trial = wide_trial(round, run.options.stages[stage])});
      }
    }
  }
  return run;
}

CompareTrial& first_of(CompareRun& run, std::string_view key) {
  for (CompareTrial& each : run.trials) {
    if (run.options.stages[each.stage].key == key) return each;
  }
  FAIL("no trial of " << key);
  return run.trials.front();
}

void check_columns(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(display_width(line) <= report_columns);
  }
}

bool says(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

CompareOptions inproc_only() {
  return {.stages = {all_stages[0]},
          .connections = {1, 8},
          .rounds = 2,
          .seconds = 0.02,
          .warmup = 0.005,
          .cpus = {},
          .binaries = "/nowhere",
          .out = std::filesystem::temp_directory_path(),
          .quiet = true};
}

}  // namespace

TEST_CASE("the report fits its columns, and names what was claimed and what was measured") {
  const CompareRun run = made_up_run();
  const std::string text = compare_text(run, somewhere);
  check_columns(text);
  for (const Stage& stage : all_stages) CHECK(says(text, stage.name));
  CHECK(says(text, "8–12 ms"));
  CHECK(says(text, "24.5k"));
  CHECK(says(text, "The kernel observer was active in all trials"));
  CHECK_FALSE(says(text, "INVALID"));
  CHECK(run.all_valid());
}

TEST_CASE("a wrong answer makes the row invalid and the run fail") {
  CompareRun run = made_up_run();
  Trial& trial = first_of(run, "grpc").trial;
  trial.valid = false;
  trial.verdicts.count(Verdict::wrong_result);
  const std::string text = compare_text(run, somewhere);
  check_columns(text);
  CHECK(says(text, "INVALID: 1 of 2 trials: wrong answers: 1 wrong_result"));
  CHECK_FALSE(run.all_valid());
}

TEST_CASE("a stage that is not built says so and fails nothing") {
  CompareRun run = made_up_run();
  std::erase_if(run.trials, [](const CompareTrial& each) { return each.stage == 3; });
  run.is_built[3] = false;
  CHECK(says(compare_text(run, somewhere), "not built"));
  CHECK(run.all_valid());
}

TEST_CASE("an observer that was off is said to be off") {
  CompareRun run = made_up_run();
  for (CompareTrial& each : run.trials) {
    if (each.trial.observer_active) each.trial.observer_active = false;
  }
  const std::string text = compare_text(run, somewhere);
  CHECK(says(text, "observer off"));
  CHECK(says(text, "OFF in 4 of 4 trials"));
  check_columns(text);
}

TEST_CASE("a machine that was busy with other things is said to be") {
  CompareRun run = made_up_run();
  for (CompareTrial& each : run.trials) each.trial.other_cpu_share = 0.09;
  CHECK_FALSE(says(compare_text(run, somewhere), "DISTURBED"));
  for (CompareTrial& each : run.trials) each.trial.other_cpu_share = 0.42;
  const std::string text = compare_text(run, somewhere);
  CHECK(says(text, "DISTURBED"));
  CHECK(says(text, "42 %"));
  check_columns(text);
}

TEST_CASE("the JSON holds every trial, the summary and where it comes from") {
  const CompareRun run = made_up_run();
  const auto json = nlohmann::json::parse(compare_json(run, somewhere, {"rps-bench", "compare"}));
  CHECK(json.at("schema_version") == compare_schema_version);
  CHECK(json.at("trials").size() == run.trials.size());
  CHECK(json.at("summary").size() == all_stages.size() * 2);
  CHECK(json.at("comparisons").size() == 6);
  CHECK(json.at("environment").at("kernel") == somewhere.kernel);
  CHECK(json.at("args").at("command_line").size() == 2);
  CHECK(json.at("trials").at(0).at("p999_ns").is_null());
}

TEST_CASE("ratios are against the stage before, where both are claimed") {
  const auto ratios = ratios_of(made_up_run());
  REQUIRE(ratios.size() == 6);
  CHECK(ratios[0].claimed == Approx(8.7 / 3.2));
  CHECK(ratios[0].per_second.median == Approx(1));
  CHECK(verdict_on(2.7, {.median = 2.6, .low = 2.5, .high = 2.8}) == "as claimed");
  CHECK(verdict_on(0.94, {.median = 0.95, .low = 0.9, .high = 1.1}) ==
        "cannot tell it from no difference");
  CHECK(verdict_on(0.94, {.median = 0.99, .low = 0.97, .high = 1.01}) == "no difference measured");
  CHECK(verdict_on(2.8, {.median = 0.4, .low = 0.3, .high = 0.5}) == "the other way round");
  CHECK(verdict_on(2.8, {.median = 1.5, .low = 1.4, .high = 1.6}) == "the same way, but by less");
  CHECK(verdict_on(2.8, {.median = 9, .low = 8, .high = 10}) == "the same way, and by more");
}

TEST_CASE("a comparison measures every cell once a round, and the game is right") {
  Interrupt interrupt;
  const CompareRun run = run_compare(inproc_only(), interrupt);
  REQUIRE(run.trials.size() == 4);
  std::set<std::pair<std::size_t, std::size_t>> cells;
  for (const CompareTrial& each : run.trials) {
    CHECK(each.trial.valid);
    CHECK(each.trial.requests > 0);
    cells.emplace(each.round, each.connections);
  }
  CHECK(cells.size() == 4);
  CHECK_FALSE(run.interrupted);
}

TEST_CASE("a server that does not start is a failed row, not the end") {
  CompareOptions options = inproc_only();
  options.stages = {all_stages[0],
                    {.key = "false", .name = "false", .scheme = "cli", .binary = "false"}};
  options.binaries = "/bin";
  Interrupt interrupt;
  const CompareRun run = run_compare(options, interrupt);
  CHECK_FALSE(run.all_valid());
  CHECK(says(compare_text(run, somewhere), "INVALID"));
}
