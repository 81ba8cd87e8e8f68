#include "core/fleet/retry.hpp"

#include <vector>

#include "core/random.hpp"
#include "tests/catch.hpp"

namespace rps::fleet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Clock::time_point start{std::chrono::hours(1)};

TEST_CASE("What may be tried again depends on the call and on how far it got") {
  const Command round{.operation = Operation::play, .move = Move::rock};
  const Command counted{.operation = Operation::play, .move = Move::rock, .session_id = "s"};
  const Command score{.operation = Operation::score, .session_id = "s"};
  const Command join{.operation = Operation::join, .game_id = "g", .player_id = "p"};
  const Command thrown{.operation = Operation::throw_move, .game_id = "g", .player_id = "p"};
  const Command leave{.operation = Operation::leave, .game_id = "g", .player_id = "p"};
  const Command watch{.operation = Operation::watch, .game_id = "g"};

  struct Row {
    const Command* command;
    bool when_lost;
  };
  for (const Row& row :
       {Row{&round, true}, Row{&counted, false}, Row{&score, true}, Row{&join, false},
        Row{&thrown, false}, Row{&leave, false}, Row{&watch, true}}) {
    CAPTURE(to_string(row.command->operation), row.command->session_id);
    CHECK(may_repeat(*row.command, Reach::nowhere));
    CHECK(may_repeat(*row.command, Reach::not_sent));
    CHECK(may_repeat(*row.command, Reach::refused));
    CHECK(may_repeat(*row.command, Reach::lost) == row.when_lost);
    CHECK(may_repeat(*row.command, Reach::slow) == row.when_lost);
    CHECK(is_idempotent(*row.command) == row.when_lost);
  }
}

TEST_CASE("The back-off doubles up to its limit") {
  const BackoffOptions options;
  const std::vector<int> expected_ms{100, 200, 400, 800, 1600, 2000, 2000};
  for (std::size_t i = 0; i < expected_ms.size(); ++i) {
    CHECK(backoff(options, static_cast<std::uint32_t>(i + 1), 0) == milliseconds(expected_ms[i]));
  }
  CHECK(backoff(options, UINT32_MAX, 0) == seconds(2));
}

TEST_CASE("The jitter adds between nothing and all of itself") {
  const BackoffOptions options;
  CHECK(backoff(options, 1, UINT64_MAX) < milliseconds(200));
  CHECK(backoff(options, 1, UINT64_MAX) > milliseconds(199));
  double sum_ms = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto wait = backoff(options, 3, mix(i));
    REQUIRE(wait >= milliseconds(400));
    REQUIRE(wait < milliseconds(500));
    sum_ms += std::chrono::duration<double, std::milli>(wait).count();
  }
  CHECK(sum_ms / 1000 > 440);
  CHECK(sum_ms / 1000 < 460);
}

TEST_CASE("A first wait above the limit is the limit") {
  CHECK(backoff({.first = seconds(5), .max = seconds(2)}, 1, 0) == seconds(2));
}

int take_all(RetryBudget& budget, Clock::time_point now) {
  int taken = 0;
  while (budget.take(now)) ++taken;
  return taken;
}

TEST_CASE("Retries are a share of the calls, and a few a second in any case") {
  RetryBudget budget({.percent = 10, .per_second = 10, .saved_max = 100}, start);
  CHECK(take_all(budget, start) == 10);  // What the first second brings, in advance.
  for (int i = 0; i < 200; ++i) budget.on_call();
  CHECK(take_all(budget, start) == 20);
  CHECK(take_all(budget, start + milliseconds(50)) == 0);
  CHECK(take_all(budget, start + seconds(1)) == 10);
}

TEST_CASE("The budget saves up to its limit, from calls and from time") {
  RetryBudget budget({.percent = 10, .per_second = 10, .saved_max = 100}, start);
  for (int i = 0; i < 100'000; ++i) budget.on_call();
  CHECK(take_all(budget, start) == 100);
  CHECK(take_all(budget, start + std::chrono::hours(1)) == 100);
}

TEST_CASE("Without a share and a floor there are no retries") {
  RetryBudget budget({.percent = 0, .per_second = 0, .saved_max = 100}, start);
  for (int i = 0; i < 100; ++i) budget.on_call();
  CHECK(take_all(budget, start + seconds(100)) == 0);
}

}  // namespace
}  // namespace rps::fleet
