// The duel's rules as examples, and then its two laws under every interleaving of inputs.
#include "core/duel.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/judge.hpp"
#include "core/random.hpp"
#include "tests/catch.hpp"

using namespace rps;

namespace {

const Id ann("ann");
const Id bob("bob");
const Id eve("eve");

// "1 opponent_joined" for each letter: whom, and what.
std::vector<std::string> told(const Outbox& outbox) {
  std::vector<std::string> lines;
  for (const auto& letter : outbox.letters()) {
    lines.push_back(std::to_string(static_cast<int>(letter.to)) + " " +
                    std::string(to_string(letter.event.type)));
  }
  return lines;
}

using Lines = std::vector<std::string>;

struct Table {
  explicit Table(std::uint32_t best_of = 3) : duel(Id("g"), best_of) {
    Outbox out;
    REQUIRE(duel.join(ann, out) == Seat::first);
    REQUIRE(duel.join(bob, out) == Seat::second);
  }

  // Both throw; returns what the second throw told.
  Outbox round(Move anns, Move bobs) {
    Outbox first;
    REQUIRE(duel.throw_move(ann, anns, first));
    Outbox second;
    REQUIRE(duel.throw_move(bob, bobs, second));
    return second;
  }

  Duel duel;
};

}  // namespace

TEST_CASE("Two sit down, a third finds the duel full") {
  Duel duel(Id("g"), 3);
  Outbox first;
  CHECK(duel.join(ann, first) == Seat::first);
  CHECK(told(first).empty());
  Outbox second;
  CHECK(duel.join(bob, second) == Seat::second);
  CHECK(told(second) == Lines{"1 opponent_joined", "2 opponent_joined"});
  Outbox third;
  CHECK(duel.join(eve, third).error() == Error::game_full);
  CHECK(told(third).empty());
}

TEST_CASE("A throw stays hidden until both are in") {
  Table table;
  Outbox first;
  REQUIRE(table.duel.throw_move(ann, Move::paper, first));
  CHECK(told(first) == Lines{"2 opponent_ready"});
  CHECK(first.letters()[0].event.opponent_move == Move::unspecified);

  Outbox second;
  REQUIRE(table.duel.throw_move(bob, Move::rock, second));
  REQUIRE(told(second) == Lines{"1 round_over", "2 round_over"});
  const Event anns = second.letters()[0].event;
  CHECK(anns.player_id == ann);
  CHECK(anns.player_move == Move::paper);
  CHECK(anns.opponent_move == Move::rock);
  CHECK(anns.result == Result::win);
  CHECK(anns.round == 1);
  CHECK(anns.score == Score{.wins = 1, .draws = 0, .losses = 0});
  const Event bobs = second.letters()[1].event;
  CHECK(bobs.player_move == Move::rock);
  CHECK(bobs.opponent_move == Move::paper);
  CHECK(bobs.result == Result::lose);
  CHECK(bobs.score == Score{.wins = 0, .draws = 0, .losses = 1});
}

TEST_CASE("Best of three ends with the second win; draws do not count") {
  Table table;
  CHECK(told(table.round(Move::rock, Move::rock)).size() == 2);
  CHECK(told(table.round(Move::rock, Move::paper)).size() == 2);
  CHECK(told(table.round(Move::rock, Move::scissors)).size() == 2);
  const Outbox last = table.round(Move::rock, Move::scissors);
  REQUIRE(told(last) == Lines{"1 round_over", "2 round_over", "1 game_over", "2 game_over"});
  CHECK(last.letters()[2].event.winner == ann);
  CHECK(last.letters()[3].event.winner == ann);
  CHECK(last.letters()[3].event.score == Score{.wins = 1, .draws = 1, .losses = 2});
  CHECK(table.duel.is_over());

  Outbox out;
  CHECK(table.duel.throw_move(ann, Move::rock, out).error() == Error::not_your_turn);
}

TEST_CASE("Out of turn: alone, twice in a round, not seated") {
  Duel duel(Id("g"), 1);
  Outbox out;
  REQUIRE(duel.join(ann, out));
  CHECK(duel.throw_move(ann, Move::rock, out).error() == Error::not_your_turn);
  REQUIRE(duel.join(bob, out));
  CHECK(duel.throw_move(eve, Move::rock, out).error() == Error::not_your_turn);
  REQUIRE(duel.throw_move(ann, Move::rock, out));
  CHECK(duel.throw_move(ann, Move::paper, out).error() == Error::not_your_turn);
  CHECK(duel.leave(eve, out).error() == Error::not_your_turn);
}

TEST_CASE("Who leaves and comes back finds score, round and throw as they were") {
  Table table;
  table.round(Move::rock, Move::scissors);
  Outbox thrown;
  REQUIRE(table.duel.throw_move(bob, Move::paper, thrown));

  Outbox left;
  REQUIRE(table.duel.leave(bob, left));
  CHECK(told(left) == Lines{"1 opponent_left"});
  Outbox again;
  REQUIRE(table.duel.leave(bob, again));
  CHECK(told(again).empty());
  Outbox refused;
  CHECK(table.duel.throw_move(ann, Move::scissors, refused).error() == Error::not_your_turn);

  Outbox back;
  CHECK(table.duel.join(bob, back) == Seat::second);
  CHECK(told(back) == Lines{"1 opponent_joined", "2 opponent_joined", "1 opponent_ready"});
  CHECK(table.duel.throw_move(bob, Move::rock, refused).error() == Error::not_your_turn);

  Outbox over;
  REQUIRE(table.duel.throw_move(ann, Move::scissors, over));
  CHECK(told(over).back() == "2 game_over");
  CHECK(over.letters()[0].event.round == 2);
}

TEST_CASE("Who comes back to a finished duel is told how it ended") {
  Table table(1);
  table.round(Move::rock, Move::paper);
  Outbox out;
  REQUIRE(table.duel.leave(ann, out));
  Outbox back;
  REQUIRE(table.duel.join(ann, back) == Seat::first);
  REQUIRE(told(back) == Lines{"1 game_over"});
  CHECK(back.letters()[0].event.winner == bob);
}

TEST_CASE("A duel that is given up has no winner") {
  Table table;
  Outbox out;
  table.duel.give_up(out);
  REQUIRE(told(out) == Lines{"1 game_over", "2 game_over"});
  CHECK(out.letters()[0].event.winner.empty());
  Outbox twice;
  table.duel.give_up(twice);
  CHECK(told(twice).empty());
}

namespace {

std::vector<std::string> shown(const Outbox& outbox) {
  std::vector<std::string> lines;
  for (const Observation& seen : outbox.observations()) {
    lines.push_back(std::string(to_string(seen.type)) + " " +
                    std::to_string(static_cast<int>(seen.seat)));
  }
  return lines;
}

}  // namespace

TEST_CASE("A spectator sees each step of a duel once, and the duel as it is then") {
  Duel duel(Id("g"), 1);
  const auto step = [&](auto act) {
    Outbox out(true);
    act(out);
    return out;
  };
  const auto join = [&](const Id& player) {
    return step([&](Outbox& out) { REQUIRE(duel.join(player, out)); });
  };
  const auto throw_move = [&](const Id& player, Move move) {
    return step([&](Outbox& out) { REQUIRE(duel.throw_move(player, move, out)); });
  };
  CHECK(shown(join(ann)) == Lines{"joined 1"});
  CHECK(shown(join(ann)).empty());  // Was there already.
  CHECK(shown(join(bob)) == Lines{"joined 2"});
  CHECK(shown(throw_move(bob, Move::rock)) == Lines{"ready 2"});
  CHECK(shown(step([&](Outbox& out) { REQUIRE(duel.leave(ann, out)); })) == Lines{"left 1"});
  CHECK_FALSE(duel.snapshot().players[0].present);
  CHECK(shown(join(ann)) == Lines{"joined 1"});
  CHECK(shown(throw_move(ann, Move::rock)) == Lines{"round_over 0"});
  CHECK(shown(throw_move(ann, Move::paper)) == Lines{"ready 1"});

  const Outbox last = throw_move(bob, Move::rock);
  REQUIRE(shown(last) == Lines{"round_over 0", "game_over 0"});
  const Observation& round = last.observations()[0];
  CHECK(round.moves == std::array{Move::paper, Move::rock});
  CHECK(round.rounds == 2);
  CHECK_FALSE(round.is_over);
  CHECK(round.winner.empty());
  CHECK(round.players[0].score == Score{.wins = 1, .draws = 1, .losses = 0});
  const Observation& end = last.observations()[1];
  CHECK(end.is_over);
  CHECK(end.winner == ann);
  CHECK(end.game_id == Id("g"));
  CHECK(end.best_of == 1);
}

TEST_CASE("Nothing is made for spectators when there are none") {
  Table table(1);
  CHECK(table.round(Move::rock, Move::paper).observations().empty());
}

namespace {

// One input: who does what. Throws of each move, join and leave, for two players and a stranger.
struct Input {
  Id player;
  enum class Kind : std::uint8_t { join, leave, throw_move } kind = Kind::join;
  Move move = Move::unspecified;
};

std::vector<Input> all_inputs() {
  std::vector<Input> inputs;
  for (const Id& player : {ann, bob, eve}) {
    inputs.push_back({player, Input::Kind::join});
    inputs.push_back({player, Input::Kind::leave});
    for (const Move move : all_moves) {
      inputs.push_back({player, Input::Kind::throw_move, move});
    }
  }
  return inputs;
}

// Replays inputs and holds every event and observation against what may be known at that moment.
class Referee {
 public:
  explicit Referee(std::uint32_t best_of) : duel_(Id("g"), best_of), best_of_(best_of) {}

  void apply(const Input& input) {
    Outbox out(true);
    switch (input.kind) {
      case Input::Kind::join: (void)duel_.join(input.player, out); break;
      case Input::Kind::leave: (void)duel_.leave(input.player, out); break;
      case Input::Kind::throw_move:
        if (duel_.throw_move(input.player, input.move, out)) {
          REQUIRE_FALSE(hidden_.contains(name(input.player)));  // Once a round.
          hidden_[name(input.player)] = input.move;
        }
        break;
    }
    const bool both_in = hidden_.size() == 2;
    int rounds_told = 0;
    for (const auto& letter : out.letters()) {
      const Event& event = letter.event;
      if (event.type != EventType::round_over) {
        // A move is told in no other event.
        REQUIRE(event.player_move == Move::unspecified);
        REQUIRE(event.opponent_move == Move::unspecified);
        continue;
      }
      ++rounds_told;
      REQUIRE(both_in);
      REQUIRE(event.round == rounds_ + 1);
      REQUIRE(event.score.rounds() == rounds_ + 1);
      REQUIRE(event.player_move == hidden_.at(name(event.player_id)));
      REQUIRE(event.result == judge(event.player_move, event.opponent_move));
      REQUIRE(event.score.wins <= best_of_ / 2 + 1);
    }
    REQUIRE(rounds_told == (both_in ? 2 : 0));  // Scored once, told to both.
    check_observations(out, both_in);
    if (both_in) {
      hidden_.clear();
      ++rounds_;
    }
  }

 private:
  static std::string name(const Id& id) { return std::string(id.view()); }

  void check_observations(const Outbox& out, bool both_in) const {
    int rounds_shown = 0;
    for (const Observation& seen : out.observations()) {
      for (const Observation::Player& player : seen.players) {
        // Who has thrown is shown until the round is over, and no more than that.
        REQUIRE(player.ready == (!both_in && hidden_.contains(name(player.id))));
      }
      if (seen.type != ObservationType::round_over) {
        REQUIRE(seen.moves == std::array<Move, 2>{});
        continue;
      }
      ++rounds_shown;
      REQUIRE(seen.rounds == rounds_ + 1);
      for (const Seat seat : {Seat::first, Seat::second}) {
        const std::size_t at = index_of(seat);
        REQUIRE(seen.moves[at] == hidden_.at(name(seen.players[at].id)));
        REQUIRE(seen.players[at].score.rounds() == rounds_ + 1);
      }
      REQUIRE(seen.players[0].score == seen_by_opponent(seen.players[1].score));
    }
    REQUIRE(rounds_shown == (both_in ? 1 : 0));
    if (!out.observations().empty()) check_state(out.observations().back());
  }

  // What was shown last is how the duel stands.
  void check_state(Observation last) const {
    last.type = ObservationType::snapshot;
    last.seat = Seat::none;
    last.moves = {};
    REQUIRE(last == duel_.snapshot());
  }

  Duel duel_;
  std::uint32_t best_of_;
  std::map<std::string, Move> hidden_;  // Thrown and not yet told.
  std::uint64_t rounds_ = 0;
};

}  // namespace

TEST_CASE("Every interleaving of five inputs keeps throws hidden and scores no round twice") {
  const std::vector<Input> inputs = all_inputs();
  std::size_t total = 1;
  for (int i = 0; i < 5; ++i) total *= inputs.size();
  // After two joins: 15^5 continuations are all there are.
  for (std::size_t number = 0; number < total; ++number) {
    Referee referee(1);
    referee.apply({ann, Input::Kind::join});
    referee.apply({bob, Input::Kind::join});
    for (std::size_t rest = number, i = 0; i < 5; ++i, rest /= inputs.size()) {
      referee.apply(inputs[rest % inputs.size()]);
    }
  }
}

TEST_CASE("Long random interleavings keep throws hidden and score no round twice") {
  const std::vector<Input> inputs = all_inputs();
  std::uint64_t random = 42;
  for (int game = 0; game < 2'000; ++game) {
    Referee referee(static_cast<std::uint32_t>(1 + 2 * (game % 4)));
    for (int step = 0; step < 60; ++step) {
      random = mix(random);
      referee.apply(inputs[random % inputs.size()]);
    }
  }
}
