#include "bench/scenarios/overload.hpp"

#include "bench/model/format.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::scenarios;

namespace {

constexpr double tick = 0.5;
constexpr double ms = 1e6;

// Two seconds at half, four at twice, two at half of a peak of 1000/s.
const std::vector<load::Phase> phases{{2, 500, 500}, {4, 2000, 2000}, {2, 500, 500}};

load::Interval interval(double begins, double per_second, double p99_ns) {
  return {.begins = begins,
          .seconds = tick,
          .good = static_cast<std::uint64_t>(per_second * tick),
          .p99_ns = p99_ns};
}

// A server that keeps 950/s while overloaded, and whose p99 is 10 ms before; afterwards it is
// `after_ns` one interval after the other.
model::Trial trial(const std::vector<double>& after_ns) {
  model::Trial trial;
  for (double at = 0; at < 2; at += tick) trial.series.push_back(interval(at, 500, 10 * ms));
  for (double at = 2; at < 6; at += tick) {
    trial.series.push_back(interval(at, 950, 300 * ms));
    trial.series.back().bad = 100;
    trial.series.back().dropped = 425;
  }
  for (std::size_t i = 0; i < after_ns.size(); ++i) {
    trial.series.push_back(interval(6 + tick * static_cast<double>(i), 500, after_ns[i]));
  }
  return trial;
}

OverloadResult judged(const std::vector<double>& after_ns) {
  return judge_overload(trial(after_ns), phases, 1000);
}

}  // namespace

TEST_CASE("each phase of an overload is told from its own intervals") {
  const OverloadResult result = judged({11 * ms, 11 * ms, 11 * ms, 11 * ms});
  CHECK(result.peak == 1000);
  CHECK(result.before_p99_ns == 10 * ms);
  CHECK(result.during_good == Approx(950));
  CHECK(result.during_p99_ns == 300 * ms);
  CHECK(result.during_bad == Approx(200));
  CHECK(result.during_dropped == Approx(850));
}

TEST_CASE("a server has recovered when p99 is within a tenth of what it was, and stays there") {
  CHECK(judged({11 * ms, 11 * ms, 11 * ms, 11 * ms}).recovered_seconds == Approx(0));
  CHECK(judged({90 * ms, 11 * ms, 10 * ms, 9 * ms}).recovered_seconds == Approx(tick));
  CHECK_FALSE(judged({11.1 * ms, 11.1 * ms, 11.1 * ms, 11.1 * ms}).recovered_seconds);
}

TEST_CASE("a server that relapses, or is not seen for long enough, has not recovered") {
  CHECK_FALSE(judged({10 * ms, 10 * ms, 90 * ms, 10 * ms}).recovered_seconds);
  CHECK_FALSE(judged({90 * ms, 90 * ms, 10 * ms, 10 * ms}).recovered_seconds);
  CHECK_FALSE(judged({}).recovered_seconds);
}

TEST_CASE("an interval in which nothing was answered is no recovery") {
  model::Trial silent = trial({10 * ms, 10 * ms, 10 * ms, 10 * ms});
  for (load::Interval& each : silent.series) {
    if (each.begins >= 6) each.good = 0;
    if (each.begins >= 6) each.p99_ns = 0;
  }
  CHECK_FALSE(judge_overload(silent, phases, 1000).recovered_seconds);
}

TEST_CASE("an interval that lies in two phases is in neither") {
  model::Trial shifted = trial({10 * ms, 10 * ms, 10 * ms, 10 * ms});
  for (load::Interval& each : shifted.series) each.begins += tick / 2;
  const OverloadResult result = judge_overload(shifted, phases, 1000);
  CHECK(result.before_p99_ns == 10 * ms);
  CHECK(result.during_good == Approx(950));
  CHECK(result.recovered_seconds == Approx(tick / 2));
}

TEST_CASE("the p99 of answers that were refused is told beside their rate") {
  model::Trial refusing = trial({10 * ms});
  load::Histogram refusals;
  for (int i = 0; i < 100; ++i) refusals.record(std::chrono::milliseconds(2));
  refusing.errors = load::Distribution(refusals);
  const OverloadResult result = judge_overload(refusing, phases, 1000);
  CHECK(result.bad_p99_ns == Approx(2 * ms).epsilon(0.001));
  CHECK(to_text(result).find("(p99 2.00 ms)") != std::string::npos);
  CHECK(judged({}).bad_p99_ns == 0);
}

TEST_CASE("the text of an overload says the share that was kept, and when it came back") {
  const std::string back = to_text(judged({90 * ms, 11 * ms, 10 * ms, 9 * ms}));
  CHECK(back.find("950/s, " + model::format_number(95) + " % of it") != std::string::npos);
  CHECK(back.find("after " + model::format_number(0.5) + " s") != std::string::npos);
  CHECK(to_text(judged({})).find("did not come back") != std::string::npos);
  CHECK(to_text(judged({})).find("(p99 absent: no such answer came)") != std::string::npos);
}
