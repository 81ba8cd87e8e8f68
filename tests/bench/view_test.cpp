#include "bench/report/view.hpp"

#include <algorithm>

#include "bench/model/format.hpp"
#include "bench/report/table.hpp"
#include "bench/scenarios/servers.hpp"
#include "bench/scenarios/tables.hpp"
#include "tests/bench/made_up_run.hpp"
#include "tests/bench/made_up_table.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::report;

namespace {

// A run of the observer's table: gRPC at 10,000 a second, observed at `times` that, with so much
// noise between the rounds.
model::Run observed(double times, double noise, std::size_t rounds = 7) {
  model::Run run = model::made_up_run(0);
  run.plan.rounds = rounds;
  run.tables = {"observer"};
  run.cells = {{.key = "grpc/64x1", .subject = "grpc", .name = "gRPC", .load = {64}},
               {.key = "ebpf/64x1", .subject = "ebpf", .name = "gRPC + eBPF", .load = {64}}};
  for (std::size_t round = 0; round < rounds; ++round) {
    const double swing = round % 2 == 0 ? 1 + noise : 1 / (1 + noise);
    const double qps = 10'000 * times * swing * (1 + 0.001 * static_cast<double>(round));
    run.trials.push_back({0, round, 2 * round, model::made_up_trial(10'000, 64, round)});
    run.trials.push_back({1, round, 2 * round + 1, model::made_up_trial(qps, 64, 100 + round)});
  }
  return run;
}

View made_view(const model::Run& run) {
  return view_of(run, scenarios::catalogue());
}

std::string verdict_on(const model::Run& run) {
  return made_view(run).claims.at(0).verdict;  // 0.94 times is claimed.
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a claim is held against the interval of what was measured") {
  CHECK(verdict_on(observed(0.943, 0.01)) == "confirmed");
  CHECK(verdict_on(observed(1.2, 0.01)) == "contradicted: the other way round");
  CHECK(verdict_on(observed(0.5, 0.01)) == "confirmed in direction; the difference is greater");
  CHECK(verdict_on(observed(0.97, 0.001)) == "confirmed in direction; the difference is smaller");
  CHECK(verdict_on(observed(0.99, 0.001)) == "contradicted: hardly a difference");
  CHECK(verdict_on(observed(1.0, 0.01)) == "contradicted: no difference");
  CHECK(verdict_on(observed(0.97, 0.05)) ==
        "undecided: this run cannot tell it from no difference");
  CHECK(verdict_on(observed(0.6, 0.6)) ==
        "undecided: the interval is too wide to confirm anything");
  CHECK(verdict_on(observed(0.943, 0.01, 3)) == "undecided: too few rounds for an interval");
}

TEST_CASE("a column tells a figure as a share of the floor's at the same load") {
  model::Run run = model::made_up_run(0);
  run.plan.rounds = 7;
  run.tables = {"stage2"};
  run.cells = {{.key = "jsonrpc-lean/64x1",
                .subject = "jsonrpc-lean",
                .name = "JSON",
                .floor = "floor-tcp",
                .load = {64}},
               {.key = "floor-tcp/64x1",
                .subject = "floor-tcp",
                .name = "echo",
                .is_floor = true,
                .load = {64}}};
  for (std::size_t round = 0; round < run.plan.rounds; ++round) {
    run.trials.push_back({0, round, 2 * round, model::made_up_trial(9'000, 64, round)});
    run.trials.push_back({1, round, 2 * round + 1, model::made_up_trial(10'000, 64, round)});
  }
  const View made = view_of(run, scenarios::catalogue());
  const Table& table = made.tables.at(0);
  constexpr std::size_t share_column = 2;
  REQUIRE(table.columns.at(share_column).heading == "share of\nits floor");
  const auto row_of = [&](std::string_view name) {
    return *std::ranges::find(table.rows, name, [](const Row& row) { return row.cells[0]; });
  };
  CHECK(
      row_of("JSON, 64 × 1").cells.at(share_column).starts_with(model::format_number(0.9) + "\n"));
  CHECK(row_of("JSON, 16 × 16").remark == "not measured: the run has no such cell");
  // A floor has none itself.
  const auto floor = std::ranges::find_if(
      table.rows, [](const Row& row) { return row.cells[0] == "its floor" && row.is_floor; });
  REQUIRE(floor != table.rows.end());
  CHECK(floor->cells.at(share_column) == "-");
  CHECK(contains(to_text(made), ": it is a floor."));
}

TEST_CASE("a row shows a figure beside that of its base, and the ratio inside each round") {
  model::Run run = model::made_up_run(0);
  run.plan.rounds = 7;
  run.tables = {"stage3"};
  run.cells = {
      {.key = "grpc-lean/16x16", .subject = "grpc-lean", .load = {16, 16}},
      {.key = "grpc-lean-uncoalesced/16x16", .subject = "grpc-lean-uncoalesced", .load = {16, 16}}};
  for (std::size_t round = 0; round < run.plan.rounds; ++round) {
    const double drift = 1 + 0.1 * static_cast<double>(round);  // Of the machine.
    run.trials.push_back({0, round, 2 * round, model::made_up_trial(15'000 * drift, 256, round)});
    run.trials.push_back(
        {1, round, 2 * round + 1, model::made_up_trial(10'000 * drift, 256, round)});
  }
  const auto row_of = [](const View& view, std::size_t line) {
    return view.tables.at(0).rows[line];
  };
  constexpr std::size_t coalescing = 11;  // At 16 × 16.
  constexpr std::size_t qps = 4;
  const View made = made_view(run);
  const Row row = row_of(made, coalescing);
  REQUIRE(row.remark.empty());
  CHECK(row.cells.at(qps).starts_with("19"));
  CHECK(row.cells.at(qps + 1).starts_with("13"));
  CHECK(row.cells.at(qps + 2).starts_with("1.50\n1.50–1.50"));
  CHECK(row_of(made, 0).remark == "not measured: the run has no such cell");

  run.cells.pop_back();
  std::erase_if(run.trials, [](const model::CellTrial& each) { return each.cell == 1; });
  run.left_out = {{"grpc-lean-uncoalesced", "not built here"}};
  const View without = made_view(run);
  CHECK(row_of(without, coalescing).cells.at(qps).starts_with("19"));
  CHECK(row_of(without, coalescing).cells.at(qps + 1) == "-");
  CHECK(row_of(without, coalescing).cells.at(qps + 2) == "-");
  CHECK(std::ranges::find(without.absent,
                          "ratio of QPS of grpc-lean/16x16: grpc-lean-uncoalesced was not "
                          "measured: not built here.") != without.absent.end());
}

TEST_CASE("memory at many connections is told less that at one") {
  model::Run run = model::made_up_run(0);
  run.tables = {"modes1000"};
  run.cells = {{.key = "rally/1000x1", .subject = "rally", .load = {1000}},
               {.key = "rally/1x1", .subject = "rally", .load = {1}}};
  for (std::size_t cell = 0; cell < 2; ++cell) {
    model::Trial trial = model::made_up_trial(10'000, 64, cell);
    trial.server = machine::Usage{.rss_peak_bytes = cell == 0 ? 70'000'000u : 20'000'000u};
    run.trials.push_back({cell, 0, cell, trial});
  }
  const std::vector<Row> rows = made_view(run).tables.at(0).rows;
  const auto rally =
      std::ranges::find(rows, "bidirectional", [](const Row& row) { return row.cells[0]; });
  REQUIRE(rally != rows.end());
  CHECK(rally->cells.back() == "50.0");
}

TEST_CASE("what was not measured, or cannot be, is said with the reason") {
  model::Run run = observed(0.943, 0.01);
  for (model::CellTrial& each : run.trials) {
    if (each.cell == 1) each.trial = {.start_error = "the server did not print its URL"};
  }
  const View made = made_view(run);
  CHECK(made.claims.at(0).verdict ==
        "not testable here: ebpf was INVALID: the server did not print its URL");
  const std::string text = to_text(made);
  CHECK(contains(text, "INVALID: the server did not print its URL"));
  CHECK(contains(text, "not testable here: the observer counts in the kernel"));
}

TEST_CASE("what this machine cannot run is no failure: its row and its claims say why") {
  model::Run run = observed(0.943, 0.01);
  std::erase_if(run.trials, [](const model::CellTrial& each) { return each.cell == 1; });
  run.left_out = {{"ebpf", "rps-ebpf did not start: observer: not permitted"},
                  {"grpc-lean", "not built here"}};
  CHECK(run.all_valid());
  const View made = made_view(run);
  CHECK(made.tables.at(0).rows.at(0).remark.empty());
  CHECK(made.tables.at(0).rows.at(1).remark ==
        "not measured: rps-ebpf did not start: observer: not permitted");
  CHECK(made.tables.at(0).rows.at(2).remark == "not measured: not built here");
  CHECK(made.claims.at(0).verdict ==
        "not testable here: ebpf was not measured: rps-ebpf did not start: observer: not "
        "permitted");
}

TEST_CASE("a claim of a whole that is measured on a part says so in its verdict") {
  model::Run run = observed(0.5, 0.01);
  run.tables = {"queues"};
  run.cells[0] = {.key = "queue-locked-flow", .subject = "queue-locked-flow", .load = {0, 0, {}}};
  run.cells[1] = {.key = "queue-ring-flow", .subject = "queue-ring-flow", .load = {0, 0, {}}};
  for (model::CellTrial& each : run.trials) {
    each.trial.micro = {{"ns", each.cell == 0 ? 100.0 + static_cast<double>(each.round) : 15.0}};
  }
  CHECK(contains(made_view(run).claims.at(0).verdict, " (measured on the part alone: "));
}

TEST_CASE("what a stage offers stands beside what is claimed of it, and is not measured") {
  model::Run run;
  run.tables = {"offers"};
  const Table table = made_view(run).tables.at(0);
  for (const Column& column : table.columns) CHECK_FALSE(column.is_number);
  for (const Row& row : table.rows) {
    CHECK(row.remark.empty());
    CHECK(row.cells.size() == table.columns.size());
  }
  // Whatever a table repeats of the articles is headed as claimed.
  for (const TableSpec& spec : scenarios::catalogue().tables) {
    for (const ColumnSpec& column : spec.columns) {
      CAPTURE(spec.key, column.heading);
      CHECK(column.heading.starts_with("claimed") == (column.kind == ColumnSpec::Kind::claim));
    }
  }
}

TEST_CASE("no line of the text is wider than a terminal") {
  for (const TableSpec& table : scenarios::catalogue().tables) {
    CAPTURE(table.key);
    const std::string text = to_text(made_view(model::made_up_run_of(table)));
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const std::string line = text.substr(at, end - at);
      CAPTURE(line);
      CHECK(model::display_width(line) <= report_columns);
      at = end + 1;
    }
  }
}

TEST_CASE("every row names a subject, every ratio two rows that are measured in every round") {
  const Catalogue catalogue = scenarios::catalogue();
  for (const TableSpec& table : scenarios::catalogue().tables) {
    CAPTURE(table.key);
    const auto has_row = [&](const CellName& name) {
      return std::ranges::any_of(table.rows, [&](const RowSpec& row) {
        return row.cell.subject == name.subject && row.cell.connections == name.connections &&
               row.cell.depth == name.depth;
      });
    };
    for (const RowSpec& row : table.rows) {
      CAPTURE(row.cell.subject);
      CHECK((model::find_subject(catalogue.subjects, row.cell.subject) != nullptr ||
             !row.missing.empty()));
      CHECK((model::find_subject(catalogue.subjects, row.base.subject) != nullptr ||
             row.base.subject.empty()));
    }
    for (const ClaimedRatio& ratio : table.ratios) {
      CAPTURE(ratio.sentence);
      CHECK(has_row(ratio.ours));
      CHECK(has_row(ratio.theirs));
      CHECK(ratio.claimed > 0);
    }
  }
}

TEST_CASE("subjects have different keys, floors are subjects, names fit") {
  const std::span<const model::Subject> subjects = scenarios::catalogue().subjects;
  for (const model::Subject& subject : subjects) {
    CAPTURE(subject.key);
    CHECK(model::find_subject(subjects, subject.key) == &subject);
    CHECK((subject.floor.empty() || model::find_subject(subjects, subject.floor) != nullptr));
    CHECK(model::display_width(subject.name) <= 24);
  }
}

TEST_CASE("without tables every cell is shown, and compared with the first at its load") {
  const View view = view_of(model::made_up_run(), scenarios::catalogue());
  REQUIRE(view.tables.size() == 1);
  CHECK(view.tables[0].rows.size() == 3);
  REQUIRE_FALSE(view.comparisons.empty());
  CHECK(contains(view.comparisons[0], "fast/64x1 against slow/64x1, qps: "));
  CHECK(contains(view.comparisons[0], "better. "));
  CHECK(contains(view.comparisons[0], "could have been seen."));
  const View few = view_of(model::made_up_run(6), scenarios::catalogue());
  CHECK(contains(few.comparisons[0], "too few rounds to tell"));
}

TEST_CASE("a printed URL is reached as a subject wants") {
  CHECK(scenarios::join_url("grpc://127.0.0.1:1", "") == "grpc://127.0.0.1:1");
  CHECK(scenarios::join_url("grpc://127.0.0.1:1", "grpc+lean:") == "grpc+lean://127.0.0.1:1");
  CHECK(scenarios::join_url("jsonrpc://[::1]:1", "?codec=binary") ==
        "jsonrpc://[::1]:1?codec=binary");
  CHECK(scenarios::join_url("echo://h:1?request=5", "x:?reply=6") == "x://h:1?request=5&reply=6");
  CHECK(scenarios::join_addresses({"grpc://h:1?a=b"}) == "grpc://h:1?a=b");
  CHECK(scenarios::join_addresses({"grpc://h:1", "grpc://[::1]:2", "grpc://i:3"}) ==
        "grpc://h:1,[::1]:2,i:3");
}
