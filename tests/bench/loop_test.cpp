#include "bench/load/loop.hpp"

#include <algorithm>
#include <thread>
#include <vector>

#include "bench/load/distribution.hpp"
#include "tests/bench/fake_client.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using rps::Reply;
using rps::Result;
using rps::load::Arrivals;
using rps::load::Ending;
using rps::load::FakeClient;
using rps::load::Interval;
using rps::load::Judging;
using rps::load::LoopCallbacks;
using rps::load::LoopOptions;
using rps::load::Outcome;
using rps::load::run_loop;
using rps::load::steady;
using rps::load::Verdict;

namespace {

constexpr std::size_t slots = 3;
const LoopOptions short_run{
    .slots = slots, .warmup = 2ms, .window = 10ms, .drain_max = 20ms, .seed = 5};

const LoopOptions open_run{.slots = slots,
                           .schedule = steady(Arrivals::poisson, 20'000, 0.05),
                           .warmup = 10ms,
                           .drain_max = 20ms,
                           .seed = 5};

void honest(std::uint64_t, Reply&) {}

Outcome run_with(const FakeClient::Tamper& tamper, const LoopOptions& options = short_run) {
  FakeClient client(options.slots, tamper);
  return run_loop(client, options);
}

// The same, made again when other processes had the CPU for so long that less than half of what was
// due could be sent.
Outcome run_undisturbed(const FakeClient::Tamper& tamper, const LoopOptions& options) {
  constexpr int attempts_max = 50;
  Outcome outcome = run_with(tamper, options);
  for (int attempt = 1; attempt < attempts_max && outcome.dropped > outcome.due / 2; ++attempt) {
    outcome = run_with(tamper, options);
  }
  return outcome;
}

// An honest server that remembers over which slots it was called.
class CountsSlots final : public rps::Client {
 public:
  explicit CountsSlots(std::size_t count) : honest_(count, honest), calls_(count) {}

  void submit(std::uint64_t id, const rps::Command& command) override {
    ++calls_[id];
    honest_.submit(id, command);
  }
  std::size_t poll(rps::Clock::time_point deadline, rps::Sink& sink) override {
    return honest_.poll(deadline, sink);
  }
  std::size_t in_flight_max() const override { return honest_.in_flight_max(); }

  const std::vector<std::size_t>& calls() const { return calls_; }

 private:
  FakeClient honest_;
  std::vector<std::size_t> calls_;
};

FakeClient::Tamper refuse_every_tenth() {
  return [](std::uint64_t count, Reply& reply) {
    if (count % 10 == 0) reply.error = rps::Error::overloaded;
  };
}

}  // namespace

// ---- Closed --------------------------------------------------------------------------------

TEST_CASE("an honest server's run is valid, and every answer is accounted for") {
  std::uint64_t answered = 0;
  const Outcome outcome = run_with([&](std::uint64_t count, Reply&) { answered = count; });
  CHECK(outcome.valid);
  CHECK(outcome.ending == Ending::finished);
  CHECK(outcome.verdicts.total() == answered);
  CHECK(outcome.verdicts.of(Verdict::right) == answered);
  CHECK(outcome.good > 0);
  CHECK(outcome.good < answered);  // The warm-up is not in it.
  CHECK(outcome.good == outcome.service.count());
  CHECK(outcome.good == outcome.response.count());
  CHECK(outcome.measured >= 10ms);
  CHECK(outcome.good_per_second() > 0);
}

TEST_CASE("one lie in a run makes it invalid") {
  const auto lie_once = [](auto change) {
    return run_with([change](std::uint64_t count, Reply& reply) {
      if (count == 20) change(reply);
    });
  };
  const Outcome result = lie_once([](Reply& reply) {
    reply.result = reply.result == Result::win ? Result::lose : Result::win;
  });
  CHECK_FALSE(result.valid);
  CHECK(result.verdicts.of(Verdict::wrong_result) == 1);

  const Outcome reason = lie_once([](Reply& reply) { reply.reason = "rock eats paper"; });
  CHECK_FALSE(reason.valid);
  CHECK(reason.verdicts.of(Verdict::wrong_reason) == 1);

  const Outcome round = lie_once([](Reply& reply) { ++reply.round; });
  CHECK_FALSE(round.valid);
  CHECK(round.verdicts.of(Verdict::wrong_round) == 1);

  const Outcome score = lie_once([](Reply& reply) { ++reply.score.losses; });
  CHECK_FALSE(score.valid);
  CHECK(score.verdicts.of(Verdict::wrong_score) == 1);

  const Outcome refused = lie_once([](Reply& reply) { reply.error = rps::Error::overloaded; });
  CHECK_FALSE(refused.valid);
  CHECK(refused.verdicts.of(Verdict::refused) == 1);
}

TEST_CASE("a server with one flipped entry in its table is caught") {
  const Outcome outcome = run_with([](std::uint64_t, Reply& reply) {
    if (reply.reason == "paper covers rock") reply.result = seen_by_opponent(reply.result);
  });
  CHECK_FALSE(outcome.valid);
  CHECK(outcome.verdicts.of(Verdict::wrong_result) > 0);
}

TEST_CASE("a server that answers nothing but nonsense has no goodput") {
  const Outcome outcome = run_with([](std::uint64_t, Reply& reply) { reply.reason = "because"; });
  CHECK(outcome.good == 0);
  CHECK(outcome.good_per_second() == 0);
  CHECK(outcome.errors.count() > 0);
  CHECK_FALSE(outcome.valid);
}

TEST_CASE("a run ends early when the server is gone") {
  FakeClient client(slots, [](std::uint64_t count, Reply& reply) {
    if (count > 30) reply.error = rps::Error::unavailable;
  });
  LoopOptions options = short_run;
  options.window = 1h;
  const Outcome outcome = run_loop(client, options);
  CHECK(outcome.ending == Ending::broken);
  CHECK_FALSE(outcome.valid);
  CHECK(outcome.verdicts.of(Verdict::refused) == slots);
  CHECK(outcome.lost == 0);
}

TEST_CASE("a server that refuses as unavailable is there: the run goes on") {
  for (const LoopOptions& options : {short_run, open_run}) {
    FakeClient client(slots,
                      [](std::uint64_t, Reply& reply) { reply.error = rps::Error::unavailable; });
    client.is_gone = false;
    const Outcome outcome = run_loop(client, options);
    CHECK(outcome.ending == Ending::finished);
    CHECK(outcome.verdicts.of(Verdict::refused) > slots);
    CHECK(outcome.unanswered == 0);
    CHECK(outcome.outages.count == 0);
  }
}

TEST_CASE("an open loop may go on through outages, and measures them") {
  LoopOptions options = open_run;
  options.schedule = steady(Arrivals::constant, 2000, 1);
  options.through_outages = true;
  const auto is_away = [](std::uint64_t count) {
    return (count > 50 && count <= 90) || (count > 110 && count <= 120);
  };
  const Outcome outcome = run_with(
      [&](std::uint64_t count, Reply& reply) {
        if (is_away(count)) reply.error = rps::Error::unavailable;
      },
      options);
  CHECK(outcome.ending == Ending::finished);
  CHECK(outcome.valid);
  CHECK(outcome.unanswered == 50);
  CHECK(outcome.outages.count == 2);
  CHECK(outcome.outages.seconds > outcome.outages.longest_seconds);
  CHECK(outcome.outages.longest_seconds > 0);
  CHECK(outcome.good > 0);
}

TEST_CASE("calls that are never answered are lost, and charged with what they waited") {
  FakeClient client(slots, honest, 30);
  LoopOptions options = short_run;
  options.warmup = 0ms;
  const Outcome outcome = run_loop(client, options);
  CHECK(outcome.lost == slots);
  CHECK(outcome.response.count() == outcome.good + slots);
  CHECK(outcome.response.max() >= options.window);
  CHECK_FALSE(outcome.valid);
}

TEST_CASE("a call that waits too long has timed out, once") {
  FakeClient client(slots, honest, 30);
  LoopOptions options = short_run;
  options.warmup = 0ms;
  options.window = 250ms;
  options.timeout = 50ms;
  const Outcome outcome = run_loop(client, options);
  CHECK(outcome.timed_out == slots);
  CHECK(outcome.lost == 0);
  CHECK(outcome.response.count() == outcome.good + slots);
  CHECK_FALSE(outcome.valid);
}

TEST_CASE("the callbacks are told when the window opens and closes, and may end the run") {
  FakeClient client(slots, honest);
  int opened = 0;
  int closed = 0;
  LoopOptions options = short_run;
  options.window = 1h;
  const Outcome outcome = run_loop(client, options,
                                   {.window_opened = [&] { ++opened; },
                                    .window_closed = [&] { ++closed; },
                                    .keep_going = [&] { return opened == 0; }});
  CHECK(outcome.ending == Ending::interrupted);
  CHECK(outcome.valid);  // As far as it got.
  CHECK(opened == 1);
  CHECK(closed == 1);
}

TEST_CASE("the series adds up to the window") {
  FakeClient client(slots, honest);
  LoopOptions options = short_run;
  options.warmup = 200ms;
  options.window = 450ms;
  options.interval = 100ms;
  std::uint64_t warmup = 0;
  const Outcome outcome = run_loop(client, options, {.interval_ended = [&](Interval& interval) {
                                     if (interval.begins < 0) warmup += interval.good;
                                     interval.rss_bytes = 7;
                                   }});
  CHECK_FALSE(outcome.series.empty());
  std::uint64_t good = 0;
  double seconds = 0;
  for (const Interval& interval : outcome.series) {
    CHECK(interval.begins == Approx(seconds).margin(1e-6));
    CHECK(interval.rss_bytes == 7);
    CHECK(interval.p50_ns <= interval.p99_ns);
    CHECK(interval.p99_ns <= interval.max_ns);
    good += interval.good;
    seconds += interval.seconds;
  }
  CHECK(good == outcome.good);
  CHECK(seconds == Approx(outcome.seconds()));
  CHECK(warmup > 0);
  CHECK(outcome.open_mean == Approx(slots).margin(0.5));
}

TEST_CASE("a floor's answers are not judged, its errors are") {
  LoopOptions options = short_run;
  options.judging = Judging::none;
  CHECK(run_with([](std::uint64_t, Reply& reply) { reply = {}; }, options).valid);
  CHECK_FALSE(run_with(refuse_every_tenth(), options).valid);
}

TEST_CASE("rounds without sessions have neither number nor score") {
  LoopOptions options = short_run;
  options.judging = Judging::rounds;
  CHECK(run_with(honest, options).valid);
  const Outcome numbered = run_with([](std::uint64_t, Reply& reply) { reply.round = 1; }, options);
  CHECK(numbered.verdicts.of(Verdict::wrong_round) > 0);
}

TEST_CASE("a summary has to add up to its rounds") {
  LoopOptions options = short_run;
  options.judging = Judging::summaries;
  options.rounds_per_call = 16;
  const auto sums_to = [](std::uint64_t rounds) {
    return [rounds](std::uint64_t, Reply& reply) { reply.score = {.wins = rounds}; };
  };
  CHECK(run_with(sums_to(16), options).valid);
  CHECK(run_with(sums_to(15), options).verdicts.of(Verdict::wrong_score) > 0);
}

// ---- Open ----------------------------------------------------------------------------------

TEST_CASE("an open loop sends what is due and counts all of it") {
  const Outcome outcome = run_undisturbed(honest, open_run);
  CHECK(outcome.valid);
  CHECK(outcome.measured >= 50ms);
  CHECK(outcome.due == Approx(1000).margin(200));
  CHECK(outcome.due == outcome.service.count() + outcome.dropped);
  CHECK(outcome.lateness.count() == outcome.service.count());
  CHECK(outcome.response.mean_ns() ==
        Approx(outcome.service.mean_ns() + outcome.lateness.mean_ns()).margin(2));
}

TEST_CASE("an open loop uses all of its slots alike, however few it needs") {
  LoopOptions options = open_run;
  options.slots = 100;
  options.schedule = steady(Arrivals::constant, 10'000, 0.1);
  CountsSlots client(options.slots);
  run_loop(client, options);
  const auto [least, most] = std::ranges::minmax(client.calls());
  CHECK(least > 0);
  CHECK(most <= least + 3);
}

TEST_CASE("a rate that cannot be kept ends in time, and what was not sent is dropped") {
  LoopOptions options = open_run;
  options.schedule = steady(Arrivals::constant, 1e9, 0.05);
  const Outcome outcome = run_with(honest, options);
  CHECK(outcome.ending == Ending::finished);
  CHECK(outcome.due == Approx(5e7).epsilon(0.01));
  CHECK(outcome.dropped > outcome.due / 2);
  CHECK(outcome.due == outcome.service.count() + outcome.dropped);
}

TEST_CASE("what finds no free slot is dropped, never sent later") {
  LoopOptions options = open_run;
  options.schedule = steady(Arrivals::constant, 1000, 0.1);
  options.schedule.burst = 10;
  options.warmup = 0ms;
  const Outcome outcome = run_with(honest, options);
  CHECK(outcome.due == 100);
  CHECK(outcome.service.count() <= outcome.due);
  CHECK(outcome.dropped + outcome.service.count() == outcome.due);
  CHECK(outcome.dropped >= 50);  // Of each ten at most the three slots, and those they free again.
}

// The answers that took at least `least`.
std::uint64_t slower_than(const rps::load::Histogram& times, std::chrono::nanoseconds least) {
  const rps::load::Distribution all(times);
  return all.count - all.count_up_to(static_cast<double>(least.count()));
}

TEST_CASE("a standstill is charged to all who would have come") {
  // The server stands still for 60 ms of the 200 ms: nobody polls, as after SIGSTOP.
  LoopOptions options = open_run;
  options.slots = 1000;
  options.schedule = steady(Arrivals::constant, 1000, 0.2);
  options.warmup = 0ms;
  bool stood = false;
  const FakeClient::Tamper stand_still_once = [&](std::uint64_t count, Reply&) {
    if (count > 50 && !std::exchange(stood, true)) std::this_thread::sleep_for(60ms);
  };
  const Outcome open = run_with(stand_still_once, options);
  CHECK(open.response.quantile(0.9) >= 15ms);  // 60 of 200 were due meanwhile.
  CHECK(open.response.max() >= 55ms);

  stood = false;
  LoopOptions closed = short_run;
  closed.window = 200ms;
  closed.warmup = 0ms;
  // Only the calls that were open then waited, one on each slot; in the open loop also the 45 that
  // were due in the first 45 ms of it.
  CHECK(slower_than(run_with(stand_still_once, closed).response, 15ms) <
        slower_than(open.response, 15ms));
}

TEST_CASE("in an open loop failures are a result, lies are not") {
  LoopOptions options = open_run;
  options.judging = Judging::rounds;  // In a session the refused would have been counted.
  const Outcome refused = run_undisturbed(refuse_every_tenth(), options);
  CHECK(refused.valid);
  CHECK(refused.errors.count() > 0);
  CHECK(refused.due == refused.service.count() + refused.errors.count() + refused.dropped);
  CHECK_FALSE(run_with([](std::uint64_t, Reply& reply) { ++reply.round; }, open_run).valid);
}

TEST_CASE("an open loop ends when nobody is there any more") {
  LoopOptions options = open_run;
  options.schedule = steady(Arrivals::constant, 20'000, 3600);
  const Outcome outcome =
      run_with([](std::uint64_t, Reply& reply) { reply.error = rps::Error::unavailable; }, options);
  CHECK(outcome.ending == Ending::broken);
  CHECK_FALSE(outcome.valid);
}
