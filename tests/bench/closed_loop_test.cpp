#include "bench/load/closed_loop.hpp"

#include "tests/bench/fake_client.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using rps::Reply;
using rps::Result;
using rps::load::ClosedLoopOptions;
using rps::load::Ending;
using rps::load::FakeClient;
using rps::load::Onlooker;
using rps::load::Outcome;
using rps::load::run_closed_loop;
using rps::load::Verdict;

namespace {

constexpr std::size_t lanes = 3;
const ClosedLoopOptions short_run{
    .lanes = lanes, .warmup = 2ms, .window = 10ms, .drain_max = 20ms, .seed = 5};

Outcome run_with(const FakeClient::Tamper& tamper) {
  FakeClient client(lanes, tamper);
  return run_closed_loop(client, short_run);
}

}  // namespace

TEST_CASE("an honest server's run is valid, and every answer is accounted for") {
  std::uint64_t answered = 0;
  const Outcome outcome = run_with([&](std::uint64_t count, Reply&) { answered = count; });
  CHECK(outcome.valid());
  CHECK(outcome.ending == Ending::finished);
  CHECK(outcome.verdicts.total() == answered);
  CHECK(outcome.verdicts.of(Verdict::right) == answered);
  CHECK(outcome.latency.count() > 0);
  CHECK(outcome.latency.count() < answered);  // The warm-up is not in it.
  CHECK(outcome.measured >= 10ms);
  CHECK(outcome.per_second() > 0);
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
  CHECK_FALSE(result.valid());
  CHECK(result.verdicts.of(Verdict::wrong_result) == 1);

  const Outcome reason = lie_once([](Reply& reply) { reply.reason = "rock eats paper"; });
  CHECK_FALSE(reason.valid());
  CHECK(reason.verdicts.of(Verdict::wrong_reason) == 1);

  const Outcome round = lie_once([](Reply& reply) { ++reply.round; });
  CHECK_FALSE(round.valid());
  CHECK(round.verdicts.of(Verdict::wrong_round) == 1);

  const Outcome score = lie_once([](Reply& reply) { ++reply.score.losses; });
  CHECK_FALSE(score.valid());
  CHECK(score.verdicts.of(Verdict::wrong_score) == 1);

  const Outcome refused = lie_once([](Reply& reply) { reply.error = rps::Error::overloaded; });
  CHECK_FALSE(refused.valid());
  CHECK(refused.verdicts.of(Verdict::refused) == 1);
}

TEST_CASE("a server with one flipped entry in its table is caught") {
  const Outcome outcome = run_with([](std::uint64_t, Reply& reply) {
    if (reply.reason == "paper covers rock") reply.result = seen_by_opponent(reply.result);
  });
  CHECK_FALSE(outcome.valid());
  CHECK(outcome.verdicts.of(Verdict::wrong_result) > 0);
}

TEST_CASE("a run ends early when the server is gone") {
  FakeClient client(lanes, [](std::uint64_t count, Reply& reply) {
    if (count > 30) reply.error = rps::Error::unavailable;
  });
  ClosedLoopOptions options = short_run;
  options.window = 1h;
  const Outcome outcome = run_closed_loop(client, options);
  CHECK(outcome.ending == Ending::broken);
  CHECK_FALSE(outcome.valid());
  CHECK(outcome.verdicts.of(Verdict::refused) == lanes);
  CHECK(outcome.lost == 0);
}

TEST_CASE("calls that are never answered are lost") {
  FakeClient client(lanes, [](std::uint64_t, Reply&) {}, 30);
  const Outcome outcome = run_closed_loop(client, short_run);
  CHECK(outcome.lost == lanes);
  CHECK_FALSE(outcome.valid());
}

TEST_CASE("the onlooker sees the window open and close, and may end the run") {
  FakeClient client(lanes, [](std::uint64_t, Reply&) {});
  int opened = 0;
  int closed = 0;
  ClosedLoopOptions options = short_run;
  options.window = 1h;
  const Outcome outcome = run_closed_loop(client, options,
                                          {.window_opened = [&] { ++opened; },
                                           .window_closed = [&] { ++closed; },
                                           .keep_going = [&] { return opened == 0; }});
  CHECK(outcome.ending == Ending::interrupted);
  CHECK_FALSE(outcome.valid());
  CHECK(opened == 1);
  CHECK(closed == 1);
}
