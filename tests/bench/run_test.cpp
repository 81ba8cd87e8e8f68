#include "bench/model/run.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include "bench/report/csv.hpp"
#include "bench/report/junit.hpp"
#include "tests/bench/made_up_run.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::model;
using Json = nlohmann::ordered_json;

namespace {

// Fills a run with anything that its types can hold, the same for the same seed.
class Anything {
 public:
  explicit Anything(std::uint64_t seed) : seed_(seed) {}

  Run run() {
    Run run{.id = text(), .title = text(), .environment = environment(), .plan = plan()};
    run.interrupted = flag();
    run.tables = texts();
    for (std::size_t i = number() % 3; i > 0; --i) run.left_out.push_back({text(), text()});
    for (std::size_t i = number() % 4; i > 0; --i) run.cells.push_back(cell());
    if (run.cells.empty()) return run;
    for (std::size_t i = number() % 6; i > 0; --i) {
      run.trials.push_back({.cell = number() % run.cells.size(),
                            .round = number(),
                            .order = number(),
                            .trial = trial()});
    }
    return run;
  }

 private:
  std::uint64_t number() {
    const std::uint64_t random = rps::mix(seed_, draw_++);
    return random >> (random % 64);
  }
  bool flag() { return number() % 2 == 0; }
  std::uint32_t small() { return static_cast<std::uint32_t>(number()); }

  // Every size, many digits, sometimes negative.
  double real() {
    const double value = static_cast<double>(number()) * std::ldexp(1.0, -40) / 3;
    return flag() ? value : -value;
  }

  std::optional<double> maybe() { return flag() ? std::optional(real()) : std::nullopt; }

  std::string text() {
    static constexpr std::array<std::string_view, 8> pieces{
        "a", "µs – ", "\"quoted\"", "\\", "\n\t", "</script>", "🪨", std::string_view("\0", 1)};
    std::string text;
    for (std::size_t i = number() % 5; i > 0; --i) text += pieces[number() % pieces.size()];
    return text;
  }

  std::vector<std::string> texts() {
    std::vector<std::string> all;
    for (std::size_t i = number() % 4; i > 0; --i) all.push_back(text());
    return all;
  }

  machine::Environment environment() {
    machine::Environment made{.date = text(),
                              .kernel = text(),
                              .cpu = text(),
                              .compiler = text(),
                              .build = text(),
                              .revision = text(),
                              .warning = text(),
                              .cores = small()};
    for (std::size_t i = number() % 4; i > 0; --i) {
      made.details.emplace_back("detail " + std::to_string(i) + text(), text());
    }
    return made;
  }

  Plan plan() {
    Plan made{.profile = text(),
              .command_line = texts(),
              .rounds = number(),
              .seconds = real(),
              .warmup = real(),
              .seed = number()};
    if (flag()) made.cpus = machine::CpuPlan{.server = -static_cast<int>(number() % 9), .load = 1};
    return made;
  }

  Load load() {
    Load made{.connections = number(), .depth = number()};
    made.idle = number();
    made.slow = number();
    made.schedule.arrivals = flag() ? load::Arrivals::constant : load::Arrivals::poisson;
    made.schedule.burst = number();
    for (std::size_t i = number() % 3; i > 0; --i) {
      made.schedule.phases.push_back({real(), real(), real()});
    }
    return made;
  }

  Cell cell() {
    const std::string key = "cell " + std::to_string(draw_) + text();
    return {.key = key,
            .subject = text(),
            .name = text(),
            .command = text(),
            .is_floor = flag(),
            .floor = text(),
            .answers_in_submit = flag(),
            .rounds_per_call = number(),
            .load = load()};
  }

  machine::Usage usage() {
    return {.user_seconds = real(),
            .system_seconds = real(),
            .voluntary_switches = number(),
            .involuntary_switches = number(),
            .threads = small(),
            .rss_bytes = number(),
            .rss_peak_bytes = number(),
            .open_files = number()};
  }

  load::Distribution times() {
    load::Histogram histogram;
    for (std::size_t i = number() % 50; i > 0; --i) {
      histogram.record(std::chrono::nanoseconds(number() >> 21));
    }
    return load::Distribution(histogram);
  }

  Trial trial() {
    Trial made{.start_error = text(),
               .ending = static_cast<load::Ending>(number() % 3),
               .valid = flag(),
               .answered = number(),
               .due = number(),
               .dropped = number(),
               .timed_out = number(),
               .lost = number(),
               .unanswered = number(),
               .connections = {.reconnects = number(), .resent = number(), .uncertain = number()},
               .outages = {.count = number(), .seconds = 0.25, .longest_seconds = 0.125},
               .seconds = real(),
               .response = times(),
               .service = times(),
               .lateness = times(),
               .errors = times(),
               .open_mean = real(),
               .load = usage(),
               .other_cpu_share = maybe(),
               .stolen_share = maybe(),
               .bytes_sent_per_call = maybe(),
               .bytes_received_per_call = maybe(),
               .syscalls_per_call = maybe()};
    for (const load::Verdict verdict : load::all_verdicts)
      made.verdicts.count(verdict, number() >> 4);
    for (std::size_t i = number() % 4; i > 0; --i) {
      made.series.push_back({.begins = real(),
                             .seconds = real(),
                             .good = number(),
                             .bad = number(),
                             .dropped = number(),
                             .open = number(),
                             .p50_ns = real(),
                             .p99_ns = real(),
                             .max_ns = real()});
      made.micro[text()] = real();
    }
    if (flag()) made.server = usage();
    if (flag()) made.observer_active = flag();
    if (flag()) {
      made.fault = {.began_seconds = real(),
                    .ended_seconds = real(),
                    .gap_seconds = real(),
                    .recovered_seconds = maybe(),
                    .rejoined_seconds = maybe()};
      made.why_no = {.recovery = text(), .rejoin = text()};
    }
    return made;
  }

  std::uint64_t seed_;
  std::uint64_t draw_ = 0;
};

std::string error_of(const Json& json) {
  const auto run = parse_run(json.dump());
  REQUIRE_FALSE(run);
  return run.error();
}

// Calls `function` with each member of objects inside `json` and how it is reached.
template <class Function>
void for_each_member(const Json& json, const Json::json_pointer& path, const Function& function) {
  if (!json.is_structured()) return;
  for (const auto& [name, value] : json.items()) {
    const Json::json_pointer below =
        json.is_array() ? path / static_cast<std::size_t>(std::stoul(name)) : path / name;
    if (json.is_object()) function(below, value);
    for_each_member(value, below, function);
  }
}

// What the file repeats, and what is free to have any members.
bool is_read(const std::string& path) {
  for (const std::string_view repeated : {"/summary", "/comparisons", "/figures", "/complaint"}) {
    if (path.find(repeated) != std::string::npos) return false;
  }
  const bool is_free =
      path.find("/details/") != std::string::npos || path.find("/micro/") != std::string::npos;
  return !is_free;
}

// So many durations, spread over the whole range of a histogram.
load::Distribution times_of_every_size(std::uint64_t count) {
  load::Histogram histogram;
  for (std::uint64_t i = 0; i < count; ++i) {
    histogram.record(std::chrono::nanoseconds(rps::mix(count, i) >> (i % 40 + 24)));
  }
  return load::Distribution(histogram);
}

load::Distribution stored_and_read(const load::Distribution& times) {
  Run run = made_up_run(1);
  run.trials[0].trial.response = times;
  const auto read = parse_run(to_json(run));
  REQUIRE(read);
  return read->trials[0].trial.response;
}

// As the file has them.
Json counts_of(const load::Distribution& times) {
  Run run = made_up_run(1);
  run.trials[0].trial.response = times;
  return Json::parse(to_json(run)).at("trials").at(0).at("response").at("counts");
}

// A run with `counts` in its first histogram, which says that it holds `total` durations.
std::expected<Run, std::string> with_counts(const Json& counts, std::uint64_t total) {
  static const Json whole = Json::parse(to_json(made_up_run(1)));
  Json json = whole;
  Json& histogram = json["trials"][0]["response"];
  histogram["counts"] = counts;
  histogram["count"] = total;
  return parse_run(json.dump());
}

std::string error_with_counts(const Json& counts, std::uint64_t total) {
  const auto run = with_counts(counts, total);
  REQUIRE_FALSE(run);
  return run.error();
}

void check_whole(const load::Distribution& times) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < times.buckets.size(); ++i) {
    const auto& bucket = times.buckets[i];
    CHECK((bucket.count > 0 && bucket.index < load::Histogram::bucket_count));
    CHECK((i == 0 || bucket.index > times.buckets[i - 1].index));
    total += bucket.count;
  }
  CHECK(total == times.count);
}

std::size_t count_of(const std::string& text, std::string_view words) {
  std::size_t count = 0;
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("any run comes back from its file as it was") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Run before = Anything(seed).run();
    const std::string json = to_json(before);
    const auto after = parse_run(json);
    INFO("seed " << seed << (after ? "" : ": " + after.error()));
    REQUIRE(after);
    REQUIRE(*after == before);
    REQUIRE(to_json(*after) == json);
  }
}

TEST_CASE("members that are new change nothing") {
  const Run run = made_up_run(2);
  Json json = Json::parse(to_json(run));
  json["weather"] = "fair";
  json["trials"][0]["weather"] = {1, 2};
  json["environment"]["weather"] = nullptr;
  CHECK(parse_run(json.dump()) == run);
}

// Members of a trial that older files lack.
bool came_later(const Json::json_pointer& path) {
  const std::string text = path.to_string();
  return text == "/trials/0/unanswered" || text == "/trials/0/connections" ||
         text == "/trials/0/outages" || text == "/trials/0/fault" || text == "/trials/0/why_no" ||
         text == "/trials/0/why_no/recovery" || text == "/trials/0/why_no/rejoin";
}

TEST_CASE("what is missing or of a wrong type is named") {
  Run run = made_up_run(1);
  run.plan.cpus = machine::CpuPlan{};
  run.cells[0].load.schedule.phases = {{1, 2, 3}};
  run.trials[0].trial.series = {{}};
  run.trials.resize(1);
  const Json whole = Json::parse(to_json(run));
  std::size_t tried = 0;
  for_each_member(whole, Json::json_pointer(), [&](const Json::json_pointer& path, const Json&) {
    if (!is_read(path.to_string())) return;
    ++tried;
    INFO(path.to_string());
    Json without = whole;
    without[path.parent_pointer()].erase(path.back());
    if (came_later(path)) {
      CHECK(parse_run(without.dump()).has_value());
    } else {
      CHECK(error_of(without).find(path.back()) != std::string::npos);
    }
    Json wrong = whole;
    wrong[path] = Json::array({Json::array()});
    CHECK(error_of(wrong).find(path.back()) != std::string::npos);
  });
  CHECK(tried > 80);
}

TEST_CASE("a cell's floor is the cell of that subject at the same load") {
  Run run;
  run.cells = {{.key = "grpc/64x1", .subject = "grpc", .floor = "empty", .load = {64}},
               {.key = "empty/1x1", .subject = "empty", .is_floor = true, .load = {1}},
               {.key = "grpc/1x1", .subject = "grpc", .floor = "empty", .load = {1}}};
  CHECK(floor_of(run, 0) == std::nullopt);
  CHECK(floor_of(run, 1) == std::nullopt);
  CHECK(floor_of(run, 2) == 1);
}

TEST_CASE("numbers that do not fit are refused") {
  const Json whole = Json::parse(to_json(made_up_run(1)));
  const auto with = [&](const char* path, const Json& value) {
    Json json = whole;
    json[Json::json_pointer(path)] = value;
    return error_of(json);
  };
  CHECK(with("/plan/rounds", -1) == "plan.rounds is not a whole number");
  CHECK(with("/plan/rounds", 1.5) == "plan.rounds is not a whole number");
  CHECK(with("/environment/cores", 1ULL << 40) == "environment.cores is too large a number");
  CHECK(with("/schema_version", run_schema_version + 1) ==
        "schema_version is 5, and only 4 can be read");
  CHECK(with("/trials/0/ending", "never") ==
        "trials[0].ending is none of the names that it may be");
  CHECK(with("/trials/1/cell", "nobody") == "trials[1].cell is no key of a cell");
  CHECK(with("/cells/1/key", "slow/64x1") == "cells: two have the same key");
  CHECK(with("/trials/0/response/count", 1) ==
        "trials[0].response.count is less than the sum of its counts");
  CHECK(with("/trials/0/response/count", 1'000'000) ==
        "trials[0].response.count is more than the sum of its counts");
  CHECK(with("/trials/0/response/counts", "AAAA") == "trials[0].response.counts is not an array");
}

TEST_CASE(
    "histograms come back bucket by bucket, with their exact mean, least and greatest value") {
  for (const std::uint64_t count : {1, 2, 10, 1'000, 50'000}) {
    const load::Distribution before = times_of_every_size(count);
    REQUIRE(stored_and_read(before) == before);
  }
  CHECK(stored_and_read({}) == load::Distribution());
}

TEST_CASE("the ends of the range, long gaps, lone empty buckets and great counts come back") {
  load::Histogram histogram;
  for (const std::uint64_t ns :
       {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{6}, std::uint64_t{2047},
        std::uint64_t{2048}, std::uint64_t{3'600'000'000'000}, load::Histogram::value_max}) {
    histogram.record(std::chrono::nanoseconds(ns));
  }
  load::Distribution odd(histogram);
  CHECK(counts_of(odd)[0] == 1);
  CHECK(counts_of(odd)[1] == -1);
  odd.buckets[1].count = (std::uint64_t{1} << 62) - 1;
  odd.buckets[2].count = 1ULL << 34;
  odd.buckets[3].count = std::uint64_t{1} << 63;
  odd.count = 0;
  for (const auto& bucket : odd.buckets) odd.count += bucket.count;
  CHECK(stored_and_read(odd) == odd);
}

TEST_CASE("a histogram that is cut is refused with a sentence") {
  const Json counts = counts_of(times_of_every_size(300));
  Json cut = Json::array();
  for (const Json& number : counts) {
    CHECK(error_with_counts(cut, 300) ==
          "trials[0].response.count is more than the sum of its counts");
    cut.push_back(number);
  }
}

TEST_CASE("a histogram that is damaged is refused, or makes another whole histogram") {
  const Json counts = counts_of(times_of_every_size(100));
  for (std::size_t i = 0; i < counts.size(); ++i) {
    for (const Json& wrong : {Json(0), Json(1.5), Json("1"), Json(nullptr), Json::array()}) {
      Json damaged = counts;
      damaged[i] = wrong;
      CHECK(error_with_counts(damaged, 100).starts_with("trials[0].response.counts holds"));
    }
    for (const int wrong : {-40'000, -2, -1, 1, 2, 400}) {
      Json damaged = counts;
      damaged[i] = wrong;
      const auto read = with_counts(damaged, 100);
      INFO("number " << i << " is " << wrong);
      if (read) {
        check_whole(read->trials[0].trial.response);
      } else {
        CHECK(read.error().starts_with("trials[0].response.count"));
      }
    }
  }
}

TEST_CASE("counts beyond the range, or too many to add up, are refused") {
  static_assert(load::Histogram::bucket_count == 34'816);
  constexpr std::string_view beyond = "trials[0].response.counts goes beyond 2.4 hours";
  constexpr std::uint64_t most = ~std::uint64_t{0};
  CHECK(with_counts({-34'816}, 0)->trials[0].trial.response.buckets.empty());
  CHECK(with_counts({-34'815, 1}, 1));
  CHECK(error_with_counts({-34'816, 1}, 1) == beyond);
  CHECK(error_with_counts({-34'817}, 0) == beyond);
  CHECK(error_with_counts({1, std::numeric_limits<std::int64_t>::min()}, 1) == beyond);
  CHECK(error_with_counts(Json(std::vector<int>(34'817, 1)), 34'817) == beyond);
  CHECK(with_counts({most}, most)->trials[0].trial.response.count == most);
  CHECK(error_with_counts({most, most, 2}, most) ==
        "trials[0].response.count is less than the sum of its counts");
  CHECK(error_with_counts({most, 1}, 0) ==
        "trials[0].response.count is less than the sum of its counts");
}

TEST_CASE("what is no run is refused with a sentence, wherever it is cut or damaged") {
  for (const std::string_view text :
       {"", "{", "[]", "null", "1", "\"run\"", "{}", "\xff\xfe", "{\"schema_version\": 1e999}",
        "{\"schema_version\": null}"}) {
    INFO(text);
    const auto run = parse_run(text);
    REQUIRE_FALSE(run);
    CHECK_FALSE(run.error().empty());
  }
  CHECK_FALSE(parse_run(std::string(100'000, '[')));

  const std::string whole = to_json(made_up_run(1));
  for (std::size_t size = 0; size + 2 < whole.size(); size += 97) {
    CHECK_FALSE(parse_run(std::string_view(whole).substr(0, size)));
  }
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    std::string damaged = whole;
    damaged[rps::mix(i) % whole.size()] = static_cast<char>(rps::mix(1, i));
    const auto run = parse_run(damaged);  // Must not throw or crash; it may still be a run.
    CHECK((run || !run.error().empty()));
  }
}

TEST_CASE("the file has what a reader looks for, a trial a line") {
  const Run run = made_up_run();
  const std::string text = to_json(run);
  const Json json = Json::parse(text);
  CHECK(json.at("schema_version") == run_schema_version);
  CHECK(json.at("trials").size() == 21);
  CHECK(json.at("trials").at(0).at("cell") == "slow/64x1");
  CHECK(json.at("trials").at(0).at("figures").at("qps").get<double>() > 9'999);
  CHECK(json.at("trials").at(0).at("lateness").is_null());
  CHECK(json.at("trials").at(0).at("errors").is_null());
  CHECK(json.at("summary").size() == 3);
  CHECK(json.at("summary").at(1).at("qps").at("trials") == 7);
  CHECK(json.at("summary").at(1).at("syscalls_per_call").is_null());
  // fast/64x1 has the load of slow/64x1; fast/1x1 has nobody to be compared with.
  CHECK(json.at("comparisons").size() == 5);
  CHECK(json.at("comparisons").at(0).at("against") == "slow/64x1");
  CHECK(json.at("comparisons").at(0).at("ratio").at("median").get<double>() ==
        Approx(2).margin(0.1));
  CHECK(json.at("comparisons").at(0).at("ratio_is") == "higher");
  CHECK(count_of(text, "\n {\"cell\":\"fast/1x1\"") == 8);  // Seven trials and the summary.
}

TEST_CASE("250 trials of ten seconds stay below eight megabytes") {
  Run run = made_up_run(7);
  const Cell first = run.cells.front();
  while (run.cells.size() < 36) {
    run.cells.push_back(first);
    run.cells.back().key = "cell " + std::to_string(run.cells.size());
  }
  const std::size_t measured = run.trials.size();
  while (run.trials.size() < 7 * run.cells.size()) {
    run.trials.push_back(run.trials[run.trials.size() % measured]);
    run.trials.back().cell = run.trials.size() % run.cells.size();
    run.trials.back().order = run.trials.size();
  }
  for (CellTrial& each : run.trials) {
    // Twelve octaves, from a microsecond to four milliseconds: more than a measurement fills.
    load::Histogram histogram;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      histogram.record(std::chrono::nanoseconds(rps::mix(each.order, i) >> (42 + i % 12)));
    }
    each.trial.response = load::Distribution(histogram);
    each.trial.service = each.trial.response;
    for (int second = 0; second < 10; ++second) {
      each.trial.series.push_back({.begins = 1.0 * second,
                                   .seconds = 1.0001,
                                   .good = 123'456,
                                   .p50_ns = 123'456,
                                   .p99_ns = 1'234'567,
                                   .max_ns = 12'345'678});
    }
  }
  CHECK(run.trials.size() >= 250);
  CHECK(to_json(run).size() < 8'000'000);
}

TEST_CASE("a run is valid when something was measured and all of it is valid") {
  CHECK_FALSE(Run{}.all_valid());
  Run run = made_up_run(1);
  CHECK(run.all_valid());
  run.trials[1].trial.valid = false;
  CHECK_FALSE(run.all_valid());
}

TEST_CASE("a cell is found by its key") {
  const Run run = made_up_run(1);
  REQUIRE(run.find("fast/1x1") != nullptr);
  CHECK(run.find("fast/1x1")->load.connections == 1);
  CHECK(run.find("fast") == nullptr);
}

TEST_CASE("figures are per call and per second, as their names say") {
  Cell cell{.rounds_per_call = 10};
  Trial trial = made_up_trial(1'000, 2, 1);
  trial.seconds = 2;
  CHECK(figure(trial, cell, Metric::qps) == 5'000);
  CHECK(*figure(trial, cell, Metric::cpu_us) == Approx(900));
  CHECK(*figure(trial, cell, Metric::cpu_user_us) == Approx(400));
  CHECK(*figure(trial, cell, Metric::load_system_us) == Approx(300));
  CHECK(*figure(trial, cell, Metric::qps_per_cpu_second) == Approx(10'000 / 0.9));
  CHECK(*figure(trial, cell, Metric::server_cpu) == Approx(0.45));
  CHECK(*figure(trial, cell, Metric::load_cpu) == Approx(0.3));
  CHECK(*figure(trial, cell, Metric::switches) == Approx(0.1));
  CHECK(figure(trial, cell, Metric::error_share) == 0);
  CHECK_FALSE(figure(trial, cell, Metric::offered));
  CHECK_FALSE(figure(trial, cell, Metric::lateness_p99));
  CHECK(figure(trial, cell, Metric::p99));
  CHECK_FALSE(figure(trial, cell, Metric::p999));  // Of 2,000 answers two lie above it.

  cell.load.schedule = {.phases = {{2, 500, 500}}};
  trial.due = 1'100;
  trial.dropped = 100;
  CHECK(*figure(trial, cell, Metric::offered) == Approx(5'500));
  CHECK(*figure(trial, cell, Metric::dropped_share) == Approx(1.0 / 11));
}

TEST_CASE("a trial that is not valid has no figures but the shares that say why") {
  const Cell cell{};
  Trial trial = made_up_trial(900, 1, 1);
  trial.valid = false;
  trial.verdicts.count(load::Verdict::refused, 50);
  trial.timed_out = 25;
  trial.lost = 25;
  for (const MetricInfo& each : all_metrics) {
    if (each.metric == Metric::error_share) continue;
    CHECK_FALSE(figure(trial, cell, each.metric));
  }
  CHECK(*figure(trial, cell, Metric::error_share) == Approx(0.1));
}

TEST_CASE("a function that was timed has its own figures and no others") {
  const Trial trial{.valid = true, .micro = {{"ns", 12.5}, {"bytes", 86}}};
  CHECK(figure(trial, {}, Metric::micro_ns) == 12.5);
  CHECK(figure(trial, {}, Metric::micro_bytes) == 86);
  CHECK_FALSE(figure(trial, {}, Metric::micro_allocations));
  CHECK_FALSE(figure(trial, {}, Metric::qps));
  CHECK_FALSE(figure(trial, {}, Metric::p50));
  CHECK_FALSE(figure(trial, {}, Metric::cpu_us));
  CHECK_FALSE(figure(trial, {}, Metric::load_cpu));
  CHECK_FALSE(figure(trial, {}, Metric::error_share));
}

TEST_CASE("the effect of a fault is told in ns, and what of it there is not says why") {
  const Cell cell{};
  Trial trial = made_up_trial(1'000, 1, 1);
  CHECK(figure(trial, cell, Metric::calls) == 1'000);
  CHECK(figure(trial, cell, Metric::failed_calls) == 0);
  for (const Metric metric : {Metric::longest_gap, Metric::recovery, Metric::rejoin}) {
    CHECK(why_absent(trial, cell, metric) == "no server was killed or frozen");
  }
  trial.timed_out = 1;
  trial.lost = 2;
  trial.dropped = 4;
  trial.errors.count = 8;
  CHECK(figure(trial, cell, Metric::failed_calls) == 15);
  trial.fault = {.began_seconds = 1,
                 .ended_seconds = 2,
                 .gap_seconds = 0.25,
                 .recovered_seconds = 0.5,
                 .rejoined_seconds = std::nullopt};
  trial.why_no.rejoin = "it was not started again";
  CHECK(figure(trial, cell, Metric::longest_gap) == 0.25e9);
  CHECK(figure(trial, cell, Metric::recovery) == 0.5e9);
  CHECK_FALSE(figure(trial, cell, Metric::rejoin));
  CHECK(why_absent(trial, cell, Metric::rejoin) == "it was not started again");
}

TEST_CASE("metrics are found by key and column, and no two share one") {
  std::set<std::string_view> names;
  for (const MetricInfo& each : all_metrics) {
    CHECK(parse_metric(each.key) == each.metric);
    CHECK(parse_metric(each.column) == each.metric);
    names.insert(each.column);
  }
  CHECK(names.size() == all_metrics.size());
  CHECK_FALSE(parse_metric("p98"));
  CHECK_FALSE(parse_metric(""));
}

TEST_CASE("CSV: a header and a line a trial, with as many fields each") {
  Run run = made_up_run(2);
  run.cells[0].key = "a \"quoted\", cell";
  run.trials[1].trial.valid = false;
  run.trials[1].trial.start_error = "it\nbroke";
  const std::string csv = report::to_csv(run);
  CHECK(csv.starts_with("run,date,cell,subject,"));
  CHECK(csv.find("\"a \"\"quoted\"\", cell\"") != std::string::npos);
  CHECK(csv.find(",false,\"it\nbroke\",") != std::string::npos);
  CHECK(csv.ends_with("\r\n"));
  CHECK(count_of(csv, "\r\n") == 7);
  const std::string header = csv.substr(0, csv.find("\r\n"));
  const std::string last = csv.substr(csv.rfind("\r\n", csv.size() - 3) + 2);
  CHECK(std::ranges::count(header, ',') == std::ranges::count(last, ','));
}

TEST_CASE("JUnit: a case a cell and a threshold, and why it failed") {
  Run run = made_up_run(2);
  run.trials.pop_back();
  run.trials.erase(run.trials.begin() + 2);  // Nothing is left of the third cell.
  run.trials[1].trial.valid = false;
  run.trials[1].trial.start_error = "<no> \"server\" & \x01 \xff\n";
  const auto thresholds =
      check_thresholds(run, {*parse_threshold("slow:qps>1"), *parse_threshold("slow:p50<1ns")});
  const std::string xml = report::to_junit(run, thresholds);
  CHECK(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite "));
  CHECK(xml.find("tests=\"5\" failures=\"2\" errors=\"0\" skipped=\"1\"") != std::string::npos);
  CHECK(xml.find("&lt;no&gt; &quot;server&quot; &amp; ? ?&#10;") != std::string::npos);
  CHECK(xml.find("which breaks slow:p50&lt;1ns") != std::string::npos);
  CHECK(xml.find("<skipped message=\"not measured: the run has no such cell\"/>") !=
        std::string::npos);
  CHECK(count_of(xml, "<testcase ") == 5);
}

TEST_CASE("what was left out is skipped, with its reason") {
  Run run = made_up_run(2);
  run.left_out = {{"absent", "not built here"}};
  const std::string xml = report::to_junit(run, {});
  CHECK(xml.find("skipped=\"1\"") != std::string::npos);
  CHECK(xml.find("<skipped message=\"not measured: not built here\"/>") != std::string::npos);
}

TEST_CASE("every figure is there or says why it is not") {
  Run run = made_up_run(1);
  run.cells.push_back({.key = "open", .subject = "open", .load = {}});
  run.cells.back().load.schedule.phases = {{1, 2, 3}};
  run.cells.push_back({.key = "function", .subject = "function", .load = {.connections = 0}});
  Trial bare = run.trials[0].trial;
  bare.server.reset();
  bare.other_cpu_share.reset();
  bare.stolen_share.reset();
  bare.why_no = {.server = "no server",
                 .machine = "no machine",
                 .traffic = "no traffic",
                 .syscalls = "no syscalls"};
  run.trials[1].trial = bare;
  run.trials[2].trial = {.start_error = "it broke"};
  run.trials.push_back({.cell = 3, .trial = bare});
  run.trials.push_back({.cell = 4, .trial = {.valid = true, .micro = {{"ns", 5}}}});
  const Json written = Json::parse(to_json(run));
  for (std::size_t cell = 0; cell < run.cells.size(); ++cell) {
    for (const MetricInfo& each : all_metrics) {
      INFO(run.cells[cell].key << " " << each.key);
      const bool is_there = estimate_of(run, cell, each.metric).trials > 0;
      CHECK(why_absent(run, cell, each.metric).empty() == is_there);
      CHECK(written["summary"][cell]["absent"].contains(each.column) != is_there);
    }
  }
  CHECK(why_absent(run, 1, Metric::cpu_us) == "no server");
  CHECK(why_absent(run, 1, Metric::stolen) == "no machine");
  CHECK(why_absent(run, 1, Metric::bytes_sent) == "no traffic");
  CHECK(why_absent(run, 1, Metric::syscalls) == "no syscalls");
  CHECK(why_absent(run, 0, Metric::syscalls) == "the stored run does not say why");
  CHECK(why_absent(run, 1, Metric::offered) == "only open loops have it");
  CHECK(why_absent(run, 1, Metric::micro_ns) == "only functions have it");
  CHECK(why_absent(run, 2, Metric::qps) == "INVALID: it broke");
  CHECK(why_absent(run, 4, Metric::qps) == "functions do not have it");
  CHECK(why_absent(run, 4, Metric::micro_bytes) == "the benchmark does not count it");
  CHECK(count_of(report::to_csv(run), "syscalls_per_call: no syscalls") == 2);
}
