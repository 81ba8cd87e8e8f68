#include "core/game.hpp"

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/catch.hpp"

using namespace rps;

namespace {

const Clock::time_point now{};

}  // namespace

TEST_CASE("A session counts its rounds and adds up its score") {
  Game game({.house = Strategy::fair, .seed = 7});
  Score expected;
  for (std::uint64_t i = 1; i <= 300; ++i) {
    const Move move = move_at(i % 3);
    const auto round = game.play(move, "s", now);
    REQUIRE(round);
    CHECK(round->round == i);
    CHECK(round->result == judge(move, round->opponent_move));
    CHECK(round->reason == reason(move, round->opponent_move));
    expected.add(round->result);
    CHECK(round->score == expected);
  }
  CHECK(game.score("s", now) == expected);
  CHECK(expected.wins > 60);
  CHECK(expected.losses > 60);
}

TEST_CASE("A round without a session stands alone and is not scored") {
  Game game({.seed = 7});
  std::array<int, 3> seen{};
  for (int i = 0; i < 300; ++i) {
    const auto round = game.play(Move::rock, "", now);
    REQUIRE(round);
    CHECK(round->round == 0);
    CHECK(round->score == Score{});
    ++seen[index_of(round->opponent_move)];
  }
  for (const int n : seen) CHECK(n > 60);
  CHECK(game.session_counts().sessions == 0);
}

TEST_CASE("One seed gives one transcript; another, and none, give others") {
  const auto transcript = [](std::optional<std::uint64_t> seed, std::uint64_t secret) {
    Game game({.seed = seed, .secret = secret});
    std::vector<Move> moves;
    for (int i = 0; i < 64; ++i) {
      moves.push_back(game.play(Move::rock, i % 2 == 0 ? "s" : "", now)->opponent_move);
    }
    return moves;
  };
  CHECK(transcript(7, 1) == transcript(7, 2));
  CHECK(transcript(7, 1) != transcript(8, 1));
  CHECK(transcript({}, 1) != transcript({}, 2));
}

TEST_CASE("Without a seed two sessions do not see the same house") {
  Game game({.secret = 5});
  std::vector<Move> first;
  std::vector<Move> second;
  for (int i = 0; i < 64; ++i) {
    first.push_back(game.play(Move::rock, "a", now)->opponent_move);
    second.push_back(game.play(Move::rock, "b", now + std::chrono::nanoseconds(1))->opponent_move);
  }
  CHECK(first != second);
}

TEST_CASE("Bad input is refused and leaves no trace") {
  Game game({.seed = 7});
  CHECK(game.play(Move::unspecified, "s", now).error() == Error::invalid_move);
  CHECK(game.play(Move::rock, "two words", now).error() == Error::malformed_request);
  CHECK(game.play(Move::rock, std::string(65, 'x'), now).error() == Error::malformed_request);
  CHECK(game.score("", now).error() == Error::malformed_request);
  CHECK(game.score("s", now).error() == Error::unknown_session);
  CHECK(game.session_counts().created == 0);
}

TEST_CASE("handle() executes every operation") {
  struct Ear final : EventSink {
    void on_event(const Event& event) override { heard.push_back(event.type); }
    std::vector<EventType> heard;
  };
  Game game({.seed = 7});
  const auto ear = std::make_shared<Ear>();
  Caller caller(game, ear);
  const auto ask = [&](const Command& command) { return game.handle(command, caller, now); };

  const Reply played = ask({.operation = Operation::play, .move = Move::rock, .session_id = "s"});
  CHECK_FALSE(played.error);
  CHECK(played.round == 1);
  const Reply scored = ask({.operation = Operation::score, .session_id = "s"});
  CHECK(scored.score == played.score);
  CHECK(ask({.operation = Operation::score, .session_id = "t"}).error == Error::unknown_session);

  const Command ann{.operation = Operation::join, .game_id = "g", .player_id = "ann"};
  const Command bob{.operation = Operation::join, .game_id = "g", .player_id = "bob"};
  CHECK(ask(ann).seat == Seat::first);
  CHECK(ask(bob).seat == Seat::second);
  CHECK(ask({.operation = Operation::throw_move, .game_id = "g", .player_id = "ann"}).error ==
        Error::invalid_move);
  CHECK_FALSE(ask({.operation = Operation::throw_move,
                   .move = Move::rock,
                   .game_id = "g",
                   .player_id = "ann"})
                  .error);
  CHECK_FALSE(ask({.operation = Operation::leave, .game_id = "g", .player_id = "ann"}).error);
  CHECK(ear->heard == std::vector{EventType::opponent_joined, EventType::opponent_joined,
                                  EventType::opponent_ready, EventType::opponent_left});

  for (const std::uint32_t best_of : {0U, 2U, 100U, 101U, 4'294'967'295U}) {
    Command join = ann;
    join.best_of = best_of;
    CHECK(ask(join).error == Error::malformed_request);
  }
  CHECK(ask({.operation = Operation::join, .game_id = "", .player_id = "a"}).error ==
        Error::malformed_request);
  CHECK(ask({.operation = Operation::leave, .game_id = "h", .player_id = "a"}).error ==
        Error::unknown_game);
  caller.disconnect(now);
}

TEST_CASE("A caller watches one duel at a time, if it is a spectator") {
  struct Eye final : SpectatorSink {
    bool on_observation(const Observation& observation) override {
      seen.push_back(observation);
      return true;
    }
    std::vector<Observation> seen;
  };
  Game game({.seed = 7, .spectators_per_duel_max = 1});
  const auto eye = std::make_shared<Eye>();
  Caller player(game, {});
  Caller spectator(game, {}, eye);
  const auto watch = [&](Caller& caller, std::string_view id) {
    return game.handle({.operation = Operation::watch, .game_id = id}, caller, now);
  };
  for (const std::string_view id : {"g", "h"}) {
    game.handle({.operation = Operation::join, .game_id = id, .player_id = "ann"}, player, now);
  }
  CHECK(watch(player, "g").error == Error::unknown_operation);
  CHECK(watch(spectator, "").error == Error::malformed_request);
  CHECK(watch(spectator, "f").error == Error::unknown_game);
  CHECK_FALSE(watch(spectator, "g").error);
  CHECK_FALSE(watch(spectator, "g").error);  // The place that it had.
  CHECK_FALSE(watch(spectator, "h").error);
  CHECK(game.duel_counts().spectators == 1);
  CHECK(eye->seen.size() == 3);

  const auto other_eye = std::make_shared<Eye>();
  Caller other(game, {}, other_eye);
  const Reply refused = watch(other, "h");
  CHECK(refused.error == Error::overloaded);
  CHECK(refused.retry_after_ms == limits::retry_after_ms);
  for (Caller* const caller : {&player, &spectator, &other}) caller->disconnect(now);
  CHECK(game.duel_counts().spectators == 0);
}

TEST_CASE("A connection holds 64 chairs and not one more") {
  Game game({.seed = 7});
  Caller caller(game, {});
  std::string id = "g00";
  const auto join = [&](std::size_t i) {
    id = "g" + std::to_string(i);
    return game.handle({.operation = Operation::join, .game_id = id, .player_id = "p"}, caller,
                       now);
  };
  for (std::size_t i = 0; i < limits::places_per_caller_max; ++i) CHECK_FALSE(join(i).error);
  const Reply refused = join(limits::places_per_caller_max);
  CHECK(refused.error == Error::overloaded);
  CHECK(refused.retry_after_ms == limits::retry_after_ms);
  CHECK_FALSE(join(0).error);  // A chair it has already.
  CHECK(game.duel_counts().duels == limits::places_per_caller_max);
  caller.disconnect(now);
}

TEST_CASE("Eight threads play one game and no round is lost") {
  for (const Strategy house : all_strategies) {
    Game game({.house = house, .seed = 7});
    std::vector<std::jthread> players;
    for (int t = 0; t < 8; ++t) {
      players.emplace_back([&game, t] {
        for (std::size_t i = 0; i < 4'000; ++i) {
          const std::string session = "s" + std::to_string(i % 5);
          (void)game.play(move_at((i + static_cast<std::size_t>(t)) % 3), session, now);
        }
      });
    }
    players.clear();
    std::uint64_t rounds = 0;
    for (int i = 0; i < 5; ++i) {
      rounds += game.score("s" + std::to_string(i), now)->rounds();
    }
    CHECK(rounds == 8 * 4'000);
  }
}
