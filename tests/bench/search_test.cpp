#include "bench/scenarios/search.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "tests/catch.hpp"

using namespace rps;
using namespace rps::scenarios;

namespace {

// The game without a wire, which answers far more than any rate below. An objective on what is
// answered is an edge at a known rate: constant arrivals get as many answers as were due.
SearchOptions options(const std::string& objective) {
  return {.target = *parse_target("inproc:", std::filesystem::current_path(), 1),
          .load = {.connections = 4, .depth = 64},
          .arrivals = load::Arrivals::constant,
          .objectives = {*model::parse_threshold(objective)},
          .rounds = 1};
}

const RunnerOptions here{.binaries = std::filesystem::current_path(),
                         .out = std::filesystem::temp_directory_path(),
                         .progress = report::ProgressStyle::quiet};

SearchResult found(model::Run& run, const std::string& objective) {
  run.plan.seconds = 0.1;
  run.plan.rounds = 1;
  Measurement measurement{.run = run, .options = here};
  SearchResult result = run_search(measurement, options(objective));
  run = measurement.run;
  return result;
}

}  // namespace

TEST_CASE("a search closes in on the edge of its objective, and says how") {
  constexpr double edge = 20'000;
  model::Run run;
  const SearchResult result = found(run, "qps<20k");
  CHECK(result.closed_loop > edge);
  REQUIRE_FALSE(result.steps.empty());
  for (const SearchStep& step : result.steps) {
    CHECK(step.holds == step.why.empty());
    CHECK((step.rate < edge || !step.holds));
  }
  CHECK(result.best <= edge);

  double holds = 0;
  double fails = result.closed_loop * 1.5;
  for (const SearchStep& step : result.steps) {
    CHECK(step.rate == Approx((holds + fails) / 2).margin(1));
    (step.holds ? holds : fails) = step.rate;
  }
  CHECK(result.best == holds);
  // Every rate is a cell, behind that of the closed loop.
  CHECK(run.cells.size() == result.steps.size() + 1);
}

TEST_CASE("a search that no rate satisfies ends, and finds none") {
  model::Run run;
  const SearchResult result = found(run, "p50<0ns");
  CHECK(result.best == 0);
  CHECK(result.steps.size() <= 16);
  CHECK(std::ranges::none_of(result.steps, &SearchStep::holds));
  CHECK(to_text(options("p50<0ns"), result).find("No rate holds") != std::string::npos);
}

TEST_CASE("a search of nobody is an error") {
  Measurement measurement{.run = {}, .options = here};
  measurement.run.plan.seconds = 0.1;
  SearchOptions nobody = options("p99<1s");
  nobody.target = *parse_target("cli:/nonexistent/binary", std::filesystem::current_path(), 1);
  CHECK_THROWS_AS(run_search(measurement, nobody), std::runtime_error);
}
