#include "bench/model/threshold.hpp"

#include "tests/bench/made_up_run.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::model;

namespace {

std::vector<ThresholdResult> check(const Run& run, std::string_view text) {
  const auto threshold = parse_threshold(text);
  REQUIRE(threshold);
  return check_thresholds(run, {*threshold});
}

void check_parsed(std::string_view text, std::string_view cell, Metric metric, Relation relation,
                  double limit) {
  INFO(text);
  const auto threshold = parse_threshold(text);
  REQUIRE(threshold);
  CHECK(threshold->cell == cell);
  CHECK(threshold->metric == metric);
  CHECK(threshold->relation == relation);
  CHECK(threshold->limit == Approx(limit));
}

}  // namespace

TEST_CASE("thresholds as they are written") {
  check_parsed("p99<5ms", "", Metric::p99, Relation::less, 5e6);
  check_parsed("qps>10k", "", Metric::qps, Relation::greater, 10'000);
  check_parsed("errors<0.1%", "", Metric::error_share, Relation::less, 0.001);
  check_parsed("errors<=0", "", Metric::error_share, Relation::less_or_equal, 0);
  check_parsed("cpu_us<=20", "", Metric::cpu_us, Relation::less_or_equal, 20);
  check_parsed("grpc/64x1:p99<5ms", "grpc/64x1", Metric::p99, Relation::less, 5e6);
  check_parsed(" grpc : p50 >= 1.5µs ", "grpc", Metric::p50, Relation::greater_or_equal, 1'500);
  check_parsed("p50_ns<20us", "", Metric::p50, Relation::less, 20'000);
  check_parsed("max<1s", "", Metric::max, Relation::less, 1e9);
  check_parsed("mean<300ns", "", Metric::mean, Relation::less, 300);
  check_parsed("qps>1.5M", "", Metric::qps, Relation::greater, 1.5e6);
  check_parsed("rss_peak<64MB", "", Metric::rss_peak, Relation::less, 64e6);
  check_parsed("rss_peak<64MiB", "", Metric::rss_peak, Relation::less, 64 * 1048576.0);
  check_parsed("cpu_us<0.5ms", "", Metric::cpu_us, Relation::less, 500);
  check_parsed("max<1m", "", Metric::max, Relation::less, 60e9);
  check_parsed("syscalls<2.5", "", Metric::syscalls, Relation::less, 2.5);
  check_parsed("grpc://127.0.0.1:7/64x1:qps>1", "grpc://127.0.0.1:7/64x1", Metric::qps,
               Relation::greater, 1);
}

TEST_CASE("what is no threshold is refused with a sentence that shows it") {
  for (const std::string_view text :
       {"",         "p99",      "p99=5ms",    "<5ms",      "p99<",    "p99<5",   "p99<5 ms",
        "p98<5ms",  "qps>10q",  "errors<-1%", "errors<x",  "qps>inf", "qps>nan", "qps>1e999",
        "p99<<5ms", "p99<>5ms", "qps>=",      "cell:<5ms", ":<5",     "p99<5ms5"}) {
    INFO(text);
    const auto threshold = parse_threshold(text);
    REQUIRE_FALSE(threshold);
    CHECK(threshold.error().find('\'') != std::string::npos);
  }
  CHECK(parse_threshold("p99<5").error() ==
        "the unit of '5' must be one of: ns, us, µs, ms, s, m, h");
}

TEST_CASE("a relation is strict or not") {
  const auto holds = [](std::string_view text, double value) {
    return parse_threshold(text)->holds(value);
  };
  CHECK(holds("cpu_us<20", 19.9));
  CHECK_FALSE(holds("cpu_us<20", 20));
  CHECK(holds("cpu_us<=20", 20));
  CHECK_FALSE(holds("cpu_us<=20", 20.1));
  CHECK(holds("qps>20", 20.1));
  CHECK_FALSE(holds("qps>20", 20));
  CHECK(holds("qps>=20", 20));
  CHECK_FALSE(holds("qps>=20", 19.9));
}

TEST_CASE("a threshold is about every cell, a subject's cells, or one") {
  const Run run = made_up_run();
  CHECK(check(run, "qps>1").size() == 3);
  CHECK(check(run, "fast:qps>1").size() == 2);
  const auto one = check(run, "fast/1x1:qps>1");
  REQUIRE(one.size() == 1);
  CHECK(one[0].cell == "fast/1x1");
  CHECK(one[0].passed);
}

TEST_CASE("the median decides, and the interval is shown") {
  const Run run = made_up_run();
  const auto passed = check(run, "fast/64x1:qps>20k");
  CHECK(passed[0].passed);
  CHECK(passed[0].estimate.low <= passed[0].estimate.median);
  CHECK(passed[0].sentence().starts_with("fast/64x1: qps is 20."));
  CHECK(passed[0].sentence().ends_with(", as asked: fast/64x1:qps>20k"));
  const auto failed = check(run, "slow:qps>20k");
  CHECK_FALSE(failed[0].passed);
  CHECK(failed[0].sentence().ends_with(", which breaks slow:qps>20k"));
}

TEST_CASE("a limit that nothing was held to has not been kept") {
  const Run run = made_up_run();
  for (const std::string_view text : {"nobody:qps>1", "syscalls<10", "fast/1x1:syscalls<10"}) {
    INFO(text);
    const auto results = check(run, text);
    REQUIRE(results.size() == 1);
    CHECK_FALSE(results[0].passed);
    CHECK_FALSE(results[0].sentence().empty());
  }
}

TEST_CASE("a cell without the figure is passed over, but not one without a valid trial") {
  Run run = made_up_run();
  for (CellTrial& each : run.trials) {
    if (each.cell == 0) each.trial = {.valid = true, .micro = {{"ns", 5}}};
    if (each.cell == 1) each.trial.valid = false;
  }
  const auto results = check(run, "p99<100s");
  REQUIRE(results.size() == 2);
  CHECK(results[0].cell == "fast/64x1");
  CHECK_FALSE(results[0].passed);
  CHECK(results[0].sentence() ==
        "fast/64x1: p99 must be p99<100s, and is absent: INVALID: nothing was answered");
  CHECK(results[1].cell == "fast/1x1");
  CHECK(results[1].passed);
}
