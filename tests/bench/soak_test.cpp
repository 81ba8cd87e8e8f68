#include "bench/scenarios/soak.hpp"

#include "tests/catch.hpp"

using namespace rps;
using namespace rps::scenarios;

namespace {

constexpr double seconds = 900;
constexpr double ms = 1e6;
constexpr double mb = 1e6;

// Fifteen minutes, an interval a second; `change` is what becomes of each.
model::Trial trial(auto change) {
  model::Trial trial;
  for (double at = 0; at < seconds; at += 1) {
    trial.series.push_back({.begins = at,
                            .seconds = 1,
                            .good = 1000,
                            .p99_ns = 2 * ms,
                            .rss_bytes = static_cast<std::uint64_t>(100 * mb),
                            .open_files = 70});
    change(trial.series.back());
  }
  return trial;
}

}  // namespace

TEST_CASE("a server that only works neither grows nor slows down") {
  const SoakResult result = judge_soak(trial([](load::Interval&) {}), 1000);
  CHECK(result.rate == 1000);
  CHECK(result.rss_first_bytes == Approx(100 * mb));
  CHECK(result.rss_last_bytes == Approx(100 * mb));
  CHECK(result.rss_slope_per_hour == Approx(0).margin(1e-9));
  CHECK(result.files_first == 70);
  CHECK(result.files_last == 70);
  CHECK(result.p99_first_ns == 2 * ms);
  CHECK(result.p99_last_ns == 2 * ms);
  CHECK(result.failed == 0);
}

TEST_CASE("a leak is seen, and how fast it is") {
  // From 100 MB, 20 MB in the quarter of an hour: 80 MB an hour of 110 MB on average.
  const SoakResult result = judge_soak(
      trial([](load::Interval& each) {
        each.rss_bytes = static_cast<std::uint64_t>((100 + 20 * each.begins / seconds) * mb);
        each.open_files = 70 + static_cast<std::uint64_t>(each.begins / 300);
      }),
      1000);
  CHECK(result.rss_slope_per_hour == Approx(80.0 / 110).epsilon(0.01));
  CHECK(result.rss_first_bytes == Approx(100 * mb + 20 * mb / 6).epsilon(0.001));
  CHECK(result.rss_last_bytes == Approx(120 * mb - 20 * mb / 6).epsilon(0.001));
  CHECK(result.files_first == 70);
  CHECK(result.files_last == 72);
  CHECK(to_text(result).find("up") != std::string::npos);
}

TEST_CASE("what a server takes in its first minutes is no leak") {
  const SoakResult result = judge_soak(trial([](load::Interval& each) {
                                         if (each.begins < 100) each.rss_bytes /= 2;
                                       }),
                                       1000);
  CHECK(result.rss_slope_per_hour == Approx(0).margin(1e-9));
}

TEST_CASE("an interval that nobody looked at says nothing of memory and files") {
  model::Trial cut = trial([](load::Interval&) {});
  cut.series.push_back({.begins = seconds, .seconds = 0.02, .good = 20, .p99_ns = 2 * ms});
  const SoakResult result = judge_soak(cut, 1000);
  CHECK(result.rss_slope_per_hour == Approx(0).margin(1e-9));
  CHECK(result.rss_last_bytes == Approx(100 * mb));
  CHECK(result.files_last == 70);
}

TEST_CASE("memory that could not be read is absent, with the reason, and not 0") {
  model::Trial unread = trial([](load::Interval& each) { each.rss_bytes = each.open_files = 0; });
  CHECK(to_text(judge_soak(unread, 1000)).find("absent: in one of both thirds it was not read.") !=
        std::string::npos);
  unread.why_no.server = "nobody knows the server";
  const std::string text = to_text(judge_soak(unread, 1000));
  CHECK(text.find("memory and open files: absent: nobody knows the server.") != std::string::npos);
  CHECK(text.find("0 MB") == std::string::npos);
}

TEST_CASE("a server that slows down or fails is seen") {
  const SoakResult result = judge_soak(trial([](load::Interval& each) {
                                         if (each.begins >= 500) each.p99_ns = 5 * ms;
                                         if (each.begins == 700) each.bad = 3;
                                       }),
                                       1000);
  CHECK(result.p99_first_ns == 2 * ms);
  CHECK(result.p99_last_ns == 5 * ms);
  CHECK(result.failed == 3);
}

TEST_CASE("a soak that ended at once has nothing to say, and says so") {
  const SoakResult result = judge_soak(model::Trial{}, 1000);
  CHECK(result.rss_slope_per_hour == 0);
  CHECK(result.rss_last_bytes == 0);
  CHECK(to_text(result).find("p99: absent: there are fewer than three intervals.") !=
        std::string::npos);
}
