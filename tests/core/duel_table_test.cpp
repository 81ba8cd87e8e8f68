#include "core/duel_table.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/catch.hpp"

using namespace rps;
using namespace std::chrono_literals;

namespace {

const Clock::time_point start{};

struct Ear final : EventSink {
  void on_event(const Event& event) override { heard.push_back(event); }
  std::vector<Event> heard;
};

// A spectator who stays for so many observations.
struct Eye final : SpectatorSink {
  explicit Eye(std::size_t stays_for = 1'000) : left(stays_for) {}
  bool on_observation(const Observation& observation) override {
    seen.push_back(observation);
    return --left > 0;
  }
  ObservationType last() const { return seen.back().type; }

  std::size_t left;
  std::vector<Observation> seen;
};

std::string name(std::size_t i) {
  return "game-" + std::to_string(i);
}

}  // namespace

TEST_CASE("Each player hears of the duel through the sink given last") {
  DuelTable table({});
  const auto ann = std::make_shared<Ear>();
  const auto bob = std::make_shared<Ear>();
  REQUIRE(table.join(Id("g"), Id("ann"), 3, ann, start)->seat == Seat::first);
  REQUIRE(table.join(Id("g"), Id("bob"), 5, bob, start)->best_of == 3);
  REQUIRE(ann->heard.size() == 1);
  CHECK(ann->heard[0].type == EventType::opponent_joined);

  const auto elsewhere = std::make_shared<Ear>();
  REQUIRE(table.join(Id("g"), Id("ann"), 3, elsewhere, start));
  ann->heard.clear();
  REQUIRE(table.throw_move(Id("g"), Id("bob"), Move::rock, start));
  CHECK(ann->heard.empty());
  CHECK(elsewhere->heard.back().type == EventType::opponent_ready);

  // The connection that was replaced breaks: the chair is not its own any longer.
  bob->heard.clear();
  table.disconnect(Id("g"), Id("ann"), ann, start);
  CHECK(bob->heard.empty());
  table.disconnect(Id("g"), Id("ann"), elsewhere, start);
  CHECK(bob->heard.back().type == EventType::opponent_left);
}

TEST_CASE("A sink that is gone is passed over") {
  DuelTable table({});
  auto ann = std::make_shared<Ear>();
  REQUIRE(table.join(Id("g"), Id("ann"), 3, ann, start));
  ann.reset();
  CHECK(table.join(Id("g"), Id("bob"), 3, {}, start));
}

TEST_CASE("A duel that both have left is closed; one that both have lost is kept") {
  DuelTable table({});
  const auto ann = std::make_shared<Ear>();
  const auto bob = std::make_shared<Ear>();
  REQUIRE(table.join(Id("g"), Id("ann"), 3, ann, start));
  REQUIRE(table.join(Id("g"), Id("bob"), 3, bob, start));
  table.disconnect(Id("g"), Id("ann"), ann, start);
  table.disconnect(Id("g"), Id("bob"), bob, start);
  CHECK(table.counts().duels == 1);
  REQUIRE(table.join(Id("g"), Id("bob"), 3, bob, start)->seat == Seat::second);

  REQUIRE(table.leave(Id("g"), Id("bob"), start));
  CHECK(table.counts().duels == 0);
  CHECK(table.leave(Id("g"), Id("bob"), start).error() == Error::unknown_game);
  CHECK(table.throw_move(Id("g"), Id("bob"), Move::rock, start).error() == Error::unknown_game);
}

TEST_CASE("One duel past the limit is refused until there is room") {
  DuelTable table({.duels_max = 20, .idle_max = 60s});
  for (std::size_t i = 0; i < 20; ++i) {
    REQUIRE(table.join(Id(name(i)), Id("ann"), 3, {}, start));
  }
  CHECK(table.join(Id(name(20)), Id("ann"), 3, {}, start).error() == Error::overloaded);
  CHECK(table.join(Id(name(7)), Id("bob"), 3, {}, start));  // No new duel.
  REQUIRE(table.leave(Id(name(3)), Id("ann"), start));
  CHECK(table.join(Id(name(20)), Id("ann"), 3, {}, start));
  CHECK(table.counts().duels == 20);
}

TEST_CASE("A duel that its players have lost gives way to a new one") {
  constexpr std::size_t duels = 20;
  DuelTable table({.duels_max = duels, .idle_max = 60s});
  const auto ear = std::make_shared<Ear>();
  for (std::size_t i = 0; i < duels; ++i) {
    REQUIRE(table.join(Id(name(i)), Id("ann"), 3, ear, start));
  }
  REQUIRE(table.join(Id("another"), Id("ann"), 3, {}, start).error() == Error::overloaded);
  for (std::size_t i = 0; i < duels; ++i) table.disconnect(Id(name(i)), Id("ann"), ear, start);
  CHECK(table.counts().duels == duels);

  // A player who comes back is not lost, and neither is one who comes back and is lost once more.
  REQUIRE(table.join(Id(name(0)), Id("ann"), 3, ear, start));
  REQUIRE(table.join(Id(name(1)), Id("ann"), 3, ear, start));
  table.disconnect(Id(name(1)), Id("ann"), ear, start);
  for (std::size_t i = 1; i < duels; ++i) {
    CHECK(table.join(Id("new-" + name(i)), Id("ann"), 3, ear, start));
  }
  CHECK(table.join(Id("another"), Id("ann"), 3, {}, start).error() == Error::overloaded);
  CHECK(table.counts().duels == duels);
  CHECK(table.counts().evicted == duels - 1);
  CHECK(table.throw_move(Id(name(0)), Id("ann"), Move::rock, start).error() ==
        Error::not_your_turn);
  CHECK(table.throw_move(Id(name(1)), Id("ann"), Move::rock, start).error() == Error::unknown_game);

  // Lost twice: a connection ends whose player somebody else had leave.
  const auto other = std::make_shared<Ear>();
  REQUIRE(table.join(Id(name(0)), Id("bob"), 3, other, start));
  REQUIRE(table.leave(Id(name(0)), Id("ann"), start));
  table.disconnect(Id(name(0)), Id("bob"), other, start);
  table.disconnect(Id(name(0)), Id("ann"), ear, start);

  // Left on purpose, idle, over: each place is given back once.
  for (std::size_t i = 1; i < duels; ++i) {
    CHECK(table.leave(Id("new-" + name(i)), Id("ann"), start));
  }
  CHECK(table.sweep(start + 61s) == 1);
  CHECK(table.counts().duels == 0);
  for (std::size_t i = 0; i < duels; ++i) CHECK(table.join(Id(name(i)), Id("ann"), 3, {}, start));
}

TEST_CASE("Idle duels are closed by the caller's clock, and who waits there is told") {
  DuelTable table({.duels_max = 20, .idle_max = 60s});
  const auto ann = std::make_shared<Ear>();
  REQUIRE(table.join(Id("g"), Id("ann"), 3, ann, start));
  CHECK(table.sweep(start + 60s) == 0);
  CHECK(table.sweep(start + 61s) == 1);
  REQUIRE(ann->heard.size() == 1);
  CHECK(ann->heard[0].type == EventType::game_over);
  CHECK(ann->heard[0].winner.empty());
  CHECK(table.counts().expired == 1);
}

TEST_CASE("A spectator sees how the duel stands, and then all that happens, to the end") {
  DuelTable table({});
  REQUIRE(table.join(Id("g"), Id("ann"), 1, {}, start));
  const auto eye = std::make_shared<Eye>();
  REQUIRE(table.watch(Id("g"), eye));
  REQUIRE(eye->seen.size() == 1);
  CHECK(eye->last() == ObservationType::snapshot);
  CHECK(eye->seen[0].players[0].id == Id("ann"));
  CHECK(eye->seen[0].players[1].id.empty());
  CHECK(table.counts().spectators == 1);

  REQUIRE(table.join(Id("g"), Id("bob"), 1, {}, start));
  REQUIRE(table.throw_move(Id("g"), Id("ann"), Move::rock, start));
  REQUIRE(table.throw_move(Id("g"), Id("bob"), Move::paper, start));
  std::vector<ObservationType> types;
  for (const Observation& observation : eye->seen) types.push_back(observation.type);
  CHECK(types == std::vector{ObservationType::snapshot, ObservationType::joined,
                             ObservationType::ready, ObservationType::round_over,
                             ObservationType::game_over});
  CHECK(eye->seen.back().winner == Id("bob"));
  CHECK(table.counts().spectators == 0);

  REQUIRE(table.leave(Id("g"), Id("ann"), start));
  CHECK(eye->seen.size() == 5);  // Nothing follows the end.

  const auto late = std::make_shared<Eye>();
  REQUIRE(table.watch(Id("g"), late));
  REQUIRE(late->seen.size() == 1);
  CHECK(late->seen[0].is_over);
  CHECK(table.counts().spectators == 0);
}

TEST_CASE("Watching a duel that does not exist is refused") {
  DuelTable table({});
  const auto eye = std::make_shared<Eye>();
  CHECK(table.watch(Id("g"), eye).error() == Error::unknown_game);
  CHECK(eye->seen.empty());
  table.unwatch(Id("g"), eye);
}

TEST_CASE(
    "A spectator is shown the end of a duel that is left, idle or given up for want of room") {
  DuelTable table({.duels_max = 3, .idle_max = 60s});
  const auto ear = std::make_shared<Ear>();
  const auto watch = [&](const Id& game) {
    auto eye = std::make_shared<Eye>();
    REQUIRE(table.join(game, Id("ann"), 1, ear, start));
    REQUIRE(table.watch(game, eye));
    return eye;
  };
  const auto left = watch(Id("left"));
  const auto lost = watch(Id("lost"));
  const auto idle = watch(Id("idle"));
  CHECK(table.counts().spectators == 3);

  REQUIRE(table.leave(Id("left"), Id("ann"), start));
  REQUIRE(left->seen.size() == 3);
  CHECK(left->seen[1].type == ObservationType::left);
  CHECK(left->seen[2].is_over);
  CHECK(left->seen[2].winner.empty());

  table.disconnect(Id("lost"), Id("ann"), ear, start);
  CHECK(lost->last() == ObservationType::left);
  REQUIRE(table.join(Id("a"), Id("ann"), 1, {}, start + 30s));
  REQUIRE(table.join(Id("b"), Id("ann"), 1, {}, start + 30s));  // There is room for three.
  CHECK(table.counts().evicted == 1);
  CHECK(lost->last() == ObservationType::game_over);

  CHECK(table.sweep(start + 61s) == 1);  // Watching keeps no duel open.
  CHECK(idle->last() == ObservationType::game_over);
  CHECK(table.counts().spectators == 0);
}

TEST_CASE("One spectator past a duel's limit, or past all duels', is refused until another goes") {
  DuelTable table({.spectators_per_duel_max = 2, .spectators_max = 3});
  REQUIRE(table.join(Id("g"), Id("ann"), 1, {}, start));
  REQUIRE(table.join(Id("h"), Id("ann"), 1, {}, start));
  std::vector<std::shared_ptr<Eye>> eyes;
  const auto watch = [&](const Id& game) {
    eyes.push_back(std::make_shared<Eye>());
    return table.watch(game, eyes.back());
  };
  CHECK(watch(Id("g")));
  CHECK(watch(Id("g")));
  CHECK(watch(Id("g")).error() == Error::overloaded);
  CHECK(eyes.back()->seen.empty());
  CHECK(watch(Id("h")));
  CHECK(watch(Id("h")).error() == Error::overloaded);
  CHECK(table.counts().spectators == 3);

  table.unwatch(Id("g"), eyes[0]);
  table.unwatch(Id("g"), eyes[0]);
  CHECK(table.counts().spectators == 2);
  CHECK(watch(Id("h")));
  CHECK(table.counts().spectators == 3);
}

TEST_CASE("Who is gone or wants no more is no spectator") {
  DuelTable table({.spectators_per_duel_max = 1, .spectators_max = 1});
  REQUIRE(table.join(Id("g"), Id("ann"), 3, {}, start));
  auto gone = std::make_shared<Eye>();
  REQUIRE(table.watch(Id("g"), gone));
  gone.reset();
  const auto brief = std::make_shared<Eye>(2);
  REQUIRE(table.watch(Id("g"), brief));  // Takes the place of who is gone.
  REQUIRE(table.join(Id("g"), Id("bob"), 3, {}, start));
  CHECK(brief->seen.size() == 2);
  CHECK(table.counts().spectators == 0);
  REQUIRE(table.throw_move(Id("g"), Id("bob"), Move::rock, start));
  CHECK(brief->seen.size() == 2);

  const auto briefest = std::make_shared<Eye>(1);
  REQUIRE(table.watch(Id("g"), briefest));
  CHECK(table.counts().spectators == 0);

  gone = std::make_shared<Eye>();
  REQUIRE(table.watch(Id("g"), gone));
  gone.reset();
  table.sweep(start);  // A place is given back although nothing happens in the duel.
  CHECK(table.counts().spectators == 0);
}

TEST_CASE("Many duels at once on many threads each end with one winner") {
  DuelTable table({});
  std::vector<std::jthread> threads;
  for (std::size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&table, t] {
      for (std::size_t i = 0; i < 200; ++i) {
        const Id game(name(t * 1000 + i));
        const auto ann = std::make_shared<Ear>();
        const auto bob = std::make_shared<Ear>();
        const auto eye = std::make_shared<Eye>();
        (void)table.join(game, Id("ann"), 1, ann, start);
        (void)table.watch(game, eye);
        (void)table.join(game, Id("bob"), 1, bob, start);
        (void)table.throw_move(game, Id("ann"), Move::rock, start);
        (void)table.throw_move(game, Id("bob"), Move::paper, start);
        if (bob->heard.back().winner.view() != "bob") std::abort();
        if (eye->seen.back().winner.view() != "bob") std::abort();
        (void)table.leave(game, Id("ann"), start);
        (void)table.leave(game, Id("bob"), start);
      }
    });
  }
  threads.clear();
  CHECK(table.counts().duels == 0);
  CHECK(table.counts().created == 1'600);
  CHECK(table.counts().spectators == 0);
}
