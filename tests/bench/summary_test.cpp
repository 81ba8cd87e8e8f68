#include "bench/model/summary.hpp"

#include <algorithm>

#include "tests/bench/made_up_run.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::model;

namespace {

constexpr std::size_t slow = 0;
constexpr std::size_t fast = 1;

// A run of one cell, in which `change` is done to so many of its trials.
template <class Change>
Run with(std::size_t trials, const Change& change, load::Schedule schedule = {}) {
  Run run = made_up_run(8);
  std::erase_if(run.trials, [](const CellTrial& each) { return each.cell != fast; });
  run.cells[fast].load.schedule = std::move(schedule);
  for (std::size_t i = 0; i < trials; ++i) change(run.trials[i].trial);
  return run;
}

std::vector<Flag> flags(const Run& run) {
  std::vector<Flag> found;
  for (const Flagged& each : flags_of(run, fast)) found.push_back(each.flag);
  return found;
}

using Flags = std::vector<Flag>;

const load::Schedule open_loop{.phases = {{1, 20'000, 20'000}}};

load::Distribution all_at(double ns, std::uint64_t count) {
  load::Histogram histogram;
  for (std::uint64_t i = 0; i < count; ++i) {
    histogram.record(std::chrono::nanoseconds(static_cast<std::int64_t>(ns)));
  }
  return load::Distribution(histogram);
}

// Answers a second that go from one rate to another over so many seconds.
std::vector<load::Interval> series(std::size_t seconds, double from, double to) {
  std::vector<load::Interval> intervals;
  for (std::size_t i = 0; i < seconds; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(seconds - 1);
    intervals.push_back({.begins = static_cast<double>(i),
                         .seconds = 1,
                         .good = static_cast<std::uint64_t>(from + (to - from) * share)});
  }
  return intervals;
}

}  // namespace

TEST_CASE("an estimate is over the valid trials of its cell") {
  Run run = made_up_run();
  const Estimate all = estimate_of(run, fast, Metric::qps);
  CHECK(all.trials == 7);
  CHECK(all.median >= 20'000);
  CHECK(all.high <= 20'800);
  run.trials[fast].trial.valid = false;
  CHECK(estimate_of(run, fast, Metric::qps).trials == 6);
  CHECK(estimate_of(run, fast, Metric::syscalls).trials == 0);
  CHECK(estimate_of(run, fast, Metric::error_share).trials == 7);
}

TEST_CASE("cells are compared in the rounds that have both") {
  Run run = made_up_run();
  const Comparison comparison = compare_cells(run, fast, slow, Metric::qps);
  CHECK(comparison.ratio.trials == 7);
  CHECK(comparison.ratio.median == Approx(2).margin(0.1));
  CHECK(comparison.tendency == Tendency::higher);
  CHECK(compare_cells(run, slow, fast, Metric::qps).tendency == Tendency::lower);

  // Without the slow cell's first trial and the fast one's last, five pairs are left. An offset by
  // one would pair other rounds.
  run.trials.erase(run.trials.begin());
  std::erase_if(run.trials,
                [](const CellTrial& each) { return each.cell == fast && each.round == 6; });
  for (CellTrial& each : run.trials) {
    if (each.cell == fast) each.trial.answered = 1'000 * (each.round + 1);
    if (each.cell == slow) each.trial.answered = 500 * (each.round + 1);
  }
  const Comparison fewer = compare_cells(run, fast, slow, Metric::qps);
  CHECK(fewer.ratio.trials == 5);
  CHECK(fewer.ratio.low == Approx(2));
  CHECK(fewer.ratio.high == Approx(2));
}

TEST_CASE("what has not been measured is compared with nothing") {
  const Run run = made_up_run();
  CHECK(compare_cells(run, fast, slow, Metric::syscalls).ratio.trials == 0);
}

TEST_CASE("a run with nothing wrong has no flags") {
  const Run run = made_up_run();
  for (std::size_t cell = 0; cell < run.cells.size(); ++cell) CHECK(flags_of(run, cell).empty());
  CHECK(flags_of(Run{.cells = {{}}}, 0).empty());
}

TEST_CASE("flag: one trial that is not valid is told, with its complaint") {
  const Run run = with(1, [](Trial& trial) {
    trial.valid = false;
    trial.ending = load::Ending::broken;
  });
  const auto found = flags_of(run, fast);
  REQUIRE(found.size() == 1);
  CHECK(found[0].flag == Flag::invalid);
  CHECK(found[0].detail == "1 of 8: the server went away");
}

TEST_CASE("flag: a floor that moves other bytes than its stage") {
  const auto run_of = [](double sent, double received) {
    Run run = made_up_run();
    run.cells[fast].floor = run.cells[slow].subject;
    for (CellTrial& each : run.trials) {
      each.trial.bytes_sent_per_call = each.cell == fast ? 100 : sent;
      each.trial.bytes_received_per_call = each.cell == fast ? 200 : received;
    }
    return run;
  };
  CHECK(flags(run_of(100, 200)).empty());
  CHECK(flags(run_of(101.9, 196.1)).empty());
  CHECK(flags(run_of(102.1, 200)) == Flags{Flag::floor_differs});
  CHECK(flags(run_of(97.9, 200)) == Flags{Flag::floor_differs});
  CHECK(flags(run_of(100, 204.1)) == Flags{Flag::floor_differs});
  CHECK(flags_of(run_of(90, 150), fast)[0].detail == "100/200 bytes, its floor 90.0/150");
  CHECK(flags_of(run_of(90, 150), slow).empty());

  Run unknown = run_of(90, 150);
  for (CellTrial& each : unknown.trials) {
    if (each.cell != slow) continue;
    each.trial.bytes_sent_per_call.reset();
    each.trial.bytes_received_per_call.reset();
  }
  CHECK(flags(unknown).empty());

  // 64 calls are open at both ends of the window: a share of the answers that could be the whole
  // difference.
  Run few = run_of(90, 150);
  for (CellTrial& each : few.trials) each.trial.answered = 64 * 50 - 1;
  const auto differs = [](const Flagged& each) { return each.flag == Flag::floor_differs; };
  CHECK(std::ranges::none_of(flags_of(few, fast), differs));
  for (CellTrial& each : few.trials) each.trial.answered = 64 * 50;
  CHECK(std::ranges::any_of(flags_of(few, fast), differs));
}

TEST_CASE("flag: wrong answers") {
  const auto refuse = [](std::uint64_t times) {
    return [times](Trial& trial) {
      trial.valid = false;
      trial.verdicts.count(load::Verdict::refused, times);
    };
  };
  CHECK(flags(with(1, refuse(1'000))) == Flags{Flag::invalid, Flag::errors});
  CHECK(flags(with(1, refuse(1))) == Flags{Flag::invalid});
}

TEST_CASE("flag: the load was full and the server was not") {
  const auto load_full = [](Trial& trial) { trial.load = {.user_seconds = 0.97}; };
  CHECK(flags(with(8, load_full)) == Flags{Flag::client_limited});
  CHECK(flags(with(2, load_full)) == Flags{Flag::client_limited});
  CHECK(flags(with(1, load_full)).empty());  // One odd trial of eight.
  CHECK(flags_of(with(3, load_full), fast)[0].detail == "3 of 8");
  CHECK(flags(with(8, [](Trial& trial) {
          trial.load = {.user_seconds = 0.97};
          trial.server->user_seconds = 0.97 - trial.server->system_seconds;
        })).empty());
  CHECK(flags(with(8, [](Trial& trial) {
          trial.load = {.user_seconds = 0.97};
          trial.server.reset();
        })).empty());
}

TEST_CASE("flag: an open loop sent late") {
  const auto late_by = [](double share) {
    return [share](Trial& trial) {
      trial.lateness = all_at(trial.response.quantile_ns(0.5) * share, 2'000);
    };
  };
  CHECK(flags(with(8, late_by(0.2), open_loop)) == Flags{Flag::client_limited});
  CHECK(flags(with(8, late_by(0.05), open_loop)).empty());
}

TEST_CASE("flag: the rate was missed") {
  const auto late = [](std::uint64_t count) {
    return [count](Trial& trial) {
      trial.lateness = all_at(1e3, trial.due - count);
      trial.lateness.merge(all_at(2e6, count));
    };
  };
  CHECK(flags(with(8, late(150), open_loop)).empty());
  const Flags found = flags(with(8, late(400), open_loop));
  CHECK(std::ranges::count(found, Flag::rate_missed) == 1);
  CHECK(flags(with(8, late(150))).empty());  // A closed loop has no rate.
}

TEST_CASE("flag: dropped calls, and with many of them the rate is missed too") {
  const auto drop = [](double share) {
    return [share](Trial& trial) {
      trial.dropped = static_cast<std::uint64_t>(static_cast<double>(trial.due) * share);
    };
  };
  CHECK(flags(with(1, drop(0.005), open_loop)) == Flags{Flag::overloaded});
  CHECK(flags(with(8, drop(0.05), open_loop)) == Flags{Flag::rate_missed, Flag::overloaded});
}

TEST_CASE("flag: Little's law") {
  CHECK(flags(with(8, [](Trial& trial) { trial.open_mean *= 1.1; })) == Flags{Flag::littles_law});
  CHECK(flags(with(8, [](Trial& trial) { trial.open_mean *= 0.9; })) == Flags{Flag::littles_law});

  // A client that answers inside submit() never has a call open.
  Run at_once = with(8, [](Trial& trial) { trial.open_mean = 0; });
  CHECK(flags(at_once) == Flags{Flag::littles_law});
  at_once.cells[fast].answers_in_submit = true;
  CHECK(flags(at_once).empty());
  CHECK(flags(with(8, [](Trial& trial) { trial.open_mean *= 1.04; })).empty());
}

TEST_CASE("flag: disturbed by others or by the hypervisor") {
  CHECK(flags(with(8, [](Trial& trial) { trial.other_cpu_share = 0.11; })) ==
        Flags{Flag::disturbed});
  CHECK(flags(with(8, [](Trial& trial) { trial.stolen_share = 0.02; })) == Flags{Flag::disturbed});
  CHECK(flags(with(8, [](Trial& trial) {
          trial.other_cpu_share.reset();
          trial.stolen_share.reset();
        })).empty());
}

TEST_CASE("flag: the answers a second changed while nothing else did") {
  const auto go = [](std::size_t seconds, double from, double to) {
    return [=](Trial& trial) { trial.series = series(seconds, from, to); };
  };
  CHECK(flags(with(8, go(10, 10'000, 15'000))) == Flags{Flag::not_stationary});
  CHECK(flags(with(8, go(10, 15'000, 10'000))) == Flags{Flag::not_stationary});
  CHECK(flags(with(8, go(10, 10'000, 11'500))).empty());
  CHECK(flags(with(8, go(5, 10'000, 15'000))).empty());  // Too short to tell.
  CHECK(flags(with(8, go(10, 10'000, 15'000), open_loop)) == Flags{Flag::not_stationary});
  CHECK(flags(with(8, go(10, 10'000, 15'000), {.phases = {{10, 10'000, 15'000}}})).empty());
  CHECK(flags(with(8, go(10, 10'000, 15'000), {.phases = {{5, 1, 1}, {5, 9, 9}}})).empty());
}

TEST_CASE("flag: the observer was off") {
  CHECK(flags(with(1, [](Trial& trial) { trial.observer_active = false; })) ==
        Flags{Flag::observer_off});
  CHECK(flags(with(8, [](Trial& trial) { trial.observer_active = true; })).empty());
}

TEST_CASE("every flag has a word that fits a table, and a sentence") {
  for (const FlagInfo& flag : all_flags) {
    CHECK(flag.word.size() <= 14);
    CHECK(flag.explanation.ends_with('.'));
  }
}
