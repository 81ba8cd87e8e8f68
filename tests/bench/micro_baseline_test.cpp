// What rps-micro says about two runs. The times here are made up: what is tried is the judgement.
#include <string>
#include <utility>
#include <vector>

#include "bench/micro/baseline.hpp"
#include "bench/model/format.hpp"
#include "bench/report/table.hpp"
#include "tests/catch.hpp"

namespace rps::micro {
namespace {

constexpr double alpha = 0.01;

// As many different times as asked for, in steps of one in ten thousand around `center`.
std::vector<double> around(double center, int count = 9) {
  std::vector<double> times;
  for (int i = 0; i < count; ++i) times.push_back(center * (1 + 1e-4 * (i - count / 2)));
  return times;
}

MicroChange change_of(const std::vector<double>& before, const std::vector<double>& now) {
  const MicroComparison comparison = compare_micro({{"x", before}}, {{"x", now}}, alpha);
  REQUIRE(comparison.changes.size() == 1);
  return comparison.changes.front();
}

machine::Environment somewhere() {
  return {.date = "2030-01-02T03:04:05Z",
          .kernel = "Linux 6.1 x86_64",
          .cpu = "A \"fast\" one",
          .compiler = "gcc 12",
          .build = "Release",
          .revision = "abc+",
          .cores = 2,
          .details = {{"load average", "0.25"}, {"a", ""}}};
}

TEST_CASE("What takes longer is slower, what takes less is faster, and both say by how much") {
  const MicroChange slower = change_of(around(100), around(110));
  CHECK(slower.change == Change::slower);
  CHECK(slower.name == "x");
  CHECK(slower.before_ns == Approx(100));
  CHECK(slower.now_ns == Approx(110));
  CHECK(slower.ratio == Approx(1.1));
  CHECK(slower.p < 0.001);
  const MicroChange faster = change_of(around(110), around(100));
  CHECK(faster.change == Change::faster);
  CHECK(faster.ratio == Approx(1 / 1.1));
  CHECK(faster.p == Approx(slower.p));
}

TEST_CASE("A change that is certain but small is none, in both directions") {
  CHECK(change_of(around(100), around(102.9)).p < 0.001);
  CHECK(change_of(around(100), around(102.9)).change == Change::indistinguishable);
  CHECK(change_of(around(100), around(103.1)).change == Change::slower);
  CHECK(change_of(around(100), around(97.1)).change == Change::indistinguishable);
  CHECK(change_of(around(100), around(96.9)).change == Change::faster);
}

TEST_CASE("A change that is large but may be chance is none") {
  const MicroChange mixed =
      change_of({100, 150, 101, 151, 102, 152, 103}, {149, 99, 153, 98, 154, 97, 155});
  CHECK(mixed.ratio > 1.4);
  CHECK(mixed.p > alpha);
  CHECK(mixed.change == Change::indistinguishable);
  // Four of each, all of one below all of the other: 2 / 70.
  const MicroChange few = change_of(around(100, 4), around(200, 4));
  CHECK(few.p == Approx(2.0 / 70));
  CHECK(few.change == Change::indistinguishable);
}

TEST_CASE("A run that was disturbed has not become slower") {
  std::vector<double> disturbed = around(130);
  disturbed.front() = 100;
  const MicroChange change = change_of(around(100), disturbed);
  CHECK(change.ratio > 1.2);
  CHECK(change.p < alpha);
  CHECK(change.change == Change::indistinguishable);
  CHECK(change_of(disturbed, around(100)).change == Change::indistinguishable);
}

TEST_CASE("The same times are the same") {
  const MicroChange same = change_of(around(100), around(100));
  CHECK(same.ratio == Approx(1));
  CHECK(same.p > 0.9);
  CHECK(same.change == Change::indistinguishable);
}

TEST_CASE("The wanted certainty decides") {
  const MicroTimes before{{"x", around(100, 4)}};
  const MicroTimes now{{"x", around(200, 4)}};
  CHECK_FALSE(compare_micro(before, now, 0.01).has_slower());
  CHECK(compare_micro(before, now, 0.05).has_slower());
  CHECK_FALSE(compare_micro(now, before, 0.05).has_slower());
}

TEST_CASE("The repetitions that a certainty needs are the fewest that reach it") {
  CHECK(repetitions_for(0.05) == 4);
  CHECK(repetitions_for(0.01) == 5);
  for (const double wanted : {0.2, 0.05, 0.01, 0.001, 1e-5}) {
    CAPTURE(wanted);
    const int needed = static_cast<int>(repetitions_for(wanted));
    const auto is_slower = [&](int repetitions) {
      return compare_micro({{"x", around(100, repetitions)}}, {{"x", around(200, repetitions)}},
                           wanted)
          .has_slower();
    };
    CHECK(is_slower(needed));
    CHECK_FALSE(is_slower(needed - 1));
  }
}

TEST_CASE("What ran only once is told, and not compared") {
  const MicroComparison comparison =
      compare_micro({{"gone", around(1)}, {"both", around(1, 7)}, {"empty now", around(1)}},
                    {{"new", around(1)}, {"both", around(1, 9)}, {"empty now", {}}}, alpha);
  CHECK(comparison.only_before == std::vector<std::string>{"empty now", "gone"});
  CHECK(comparison.only_now == std::vector<std::string>{"new"});
  REQUIRE(comparison.changes.size() == 1);
  CHECK(comparison.changes.front().name == "both");
  CHECK(comparison.repetitions == 7);
  CHECK(compare_micro({}, {}, alpha).repetitions == 0);
}

TEST_CASE("A baseline is read as it was written") {
  const Baseline written{
      .environment = somewhere(),
      .times = {{"codec/json/encode/10kB", {1234.5, 0.1, 1e9}}, {"queue/\"x\"", {}}}};
  const auto read = parse_baseline(to_json(written));
  REQUIRE(read);
  CHECK(*read == written);
}

TEST_CASE("What is no baseline is refused with a sentence") {
  const std::string good = to_json({.environment = somewhere(), .times = {{"x", {1.0, 2.0}}}});
  REQUIRE(parse_baseline(good));
  const auto replaced = [&](const std::string& part, const std::string& other) {
    const std::size_t at = good.find(part);
    REQUIRE(at != std::string::npos);
    return std::string(good).replace(at, part.size(), other);
  };
  const std::pair<std::string, std::string> cases[] = {
      {"", "it is not JSON"},
      {good.substr(0, good.size() / 2), "it is not JSON"},
      {"[]", "it is no baseline"},
      {"{}", "it is no baseline"},
      {replaced("\"schema_version\": 1", "\"schema_version\": 2"), "schema_version is not 1"},
      {replaced("\"times\"", "\"tones\""), "it is no baseline"},
      {replaced("\"kernel\"", "\"colonel\""), "it is no baseline"},
      {replaced("2.0", "\"2.0\""), "it is no baseline"},
  };
  for (const auto& [text, said] : cases) {
    CAPTURE(text);
    const auto read = parse_baseline(text);
    REQUIRE(!read);
    CHECK(read.error().contains(said));
  }
}

TEST_CASE("The table says it all in the width of a report") {
  const std::string long_name = "session_store/100k/with_a_name_that_is_too_long_for_it/2_threads";
  const MicroTimes before{{"judge", around(2)}, {long_name, around(5000)}, {"gone", around(1)}};
  const MicroTimes now{{"judge", around(3)}, {long_name, around(4000)}, {"new", around(1)}};
  machine::Environment later = somewhere();
  later.revision = "def";
  const std::string text = render(compare_micro(before, now, alpha), somewhere(), later);
  CAPTURE(text);
  for (const char* const part :
       {"judge", "2.00 ns", "3.00 ns", "1.500", "<0.001", "slower", "5.00 µs", "4.00 µs", "0.800",
        "faster", "gone", "new", "abc+", "def"}) {
    CAPTURE(part);
    CHECK(text.contains(part));
  }
  const std::string tables = text.substr(0, text.find("\nbefore  "));
  for (std::size_t begin = 0; begin < tables.size();) {
    const std::size_t end = std::min(tables.find('\n', begin), tables.size());
    CHECK(model::display_width(tables.substr(begin, end - begin)) <= report::report_columns);
    begin = end + 1;
  }
}

}  // namespace
}  // namespace rps::micro
