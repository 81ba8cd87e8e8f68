// Spectators: what they see of a duel, what they do not see, and that they disturb nobody.
#include <array>
#include <memory>
#include <string>

#include "tests/conformance/cases.hpp"
#include "tests/conformance/check.hpp"
#include "tests/conformance/commands.hpp"
#include "tests/conformance/table.hpp"

namespace rps::conformance {

namespace {

// Asks to watch. Throws NotOffered when the server knows no spectators.
std::optional<Error> try_watch(Player& player, std::string_view game_id) {
  const auto error = player.ask(watch(game_id)).reply.error;
  if (error == Error::unknown_operation) throw NotOffered("no spectators");
  return error;
}

// One who watches the duel of a table, over a connection of its own where there can be one.
class Spectator {
 public:
  Spectator(const Target& target, Table& table) : table_(table) {
    const bool shared = target.connections_are_worlds;
    connection_ = shared ? nullptr : target.open_player();
    player_ = shared ? &table.connection(first) : connection_.get();
    const auto error = try_watch(*player_, table.game_id());
    require(!error, "a watch is refused with ", error);
  }

  // The next thing that is shown must be `type`, of the player of `seat`.
  Observation expect(ObservationType type, Seat seat = Seat::none) {
    const auto seen = player_->next_observation(table_.game_id());
    require(seen.has_value(), "the spectator was not shown ", type);
    require(seen->type == type, "the spectator is shown ", seen->type, ", must be ", type);
    require_equal("the seat", seen->seat, seat);
    require(type == ObservationType::round_over || seen->moves == std::array<Move, 2>{}, type,
            " shows a move");
    return *seen;
  }

  Observation expect_round(Move firsts, Move seconds, std::uint64_t rounds) {
    const Observation seen = expect(ObservationType::round_over);
    require_equal("the first's move", seen.moves[0], firsts);
    require_equal("the second's move", seen.moves[1], seconds);
    require_equal("the rounds that are over", seen.rounds, rounds);
    for (const Seat seat : {first, second}) check_player(seen, seat);
    return seen;
  }

  void expect_end(const Id& winner) {
    const Observation seen = expect(ObservationType::game_over);
    require(seen.is_over, "the last observation does not say that the duel is over");
    require_equal("the winner", seen.winner, winner);
  }

  // The player is who sits there, and has the score that the player has been told.
  void check_player(const Observation& seen, Seat seat) const {
    const Observation::Player& player = seen.players[index_of(seat)];
    require_equal("the player", player.id, Id(table_.player_id(seat)));
    require_equal("the player's score", player.score, table_.score(seat));
  }

 private:
  Table& table_;
  std::unique_ptr<Player> connection_;
  Player* player_ = nullptr;
};

// A connection watches one duel at a time, so two spectators need two connections.
void require_connections_meet(const Target& target) {
  if (target.connections_are_worlds) throw NotOffered("each connection is a server of its own");
}

void nobody_to_watch(const Target& target) {
  const auto player = target.open_player();
  require_equal<std::optional<Error>>("an unknown game", try_watch(*player, fresh_id()),
                                      Error::unknown_game);
  require_equal<std::optional<Error>>("no game", try_watch(*player, ""), Error::malformed_request);
  require_equal<std::optional<Error>>("a game of 65 characters",
                                      try_watch(*player, std::string(65, 'g')),
                                      Error::malformed_request);
}

void whole_duel(const Target& target) {
  Table table(target, 3);
  table.join(first);
  Spectator spectator(target, table);
  const Observation start = spectator.expect(ObservationType::snapshot);
  require_equal("best_of", start.best_of, 3U);
  require(start.players[0].present, "the first is not shown to be there");
  require(start.players[1].id.empty(), "somebody is shown on the second's seat");
  table.join(second);
  spectator.expect(ObservationType::joined, second);
  table.expect_both(EventType::opponent_joined);

  table.play_round(rock, paper);
  require(spectator.expect(ObservationType::ready, first).players[0].ready,
          "the first is not shown to have thrown");
  spectator.expect_round(rock, paper, 1);
  table.play_round(scissors, scissors);
  spectator.expect(ObservationType::ready, first);
  spectator.expect_round(scissors, scissors, 2);
  table.play_round(paper, scissors);
  spectator.expect(ObservationType::ready, first);
  spectator.expect_round(paper, scissors, 3);
  spectator.expect_end(Id(table.player_id(second)));
  table.finish();
}

void watched_throw_is_hidden(const Target& target) {
  require_connections_meet(target);
  Table table(target);
  table.sit_down();
  Spectator spectator(target, table);
  spectator.expect(ObservationType::snapshot);
  table.throw_first(second, paper);
  spectator.expect(ObservationType::ready, second);
  // One who comes now sees that the second has thrown, and not what.
  Spectator late(target, table);
  const Observation seen = late.expect(ObservationType::snapshot);
  require(seen.players[1].ready && !seen.players[0].ready, "who has thrown is not shown");
  table.throw_move(first, rock);
  table.expect_both(EventType::round_over);
  require_equal("the hidden move", late.expect(ObservationType::round_over).moves[1], paper);
  table.finish();
}

void who_comes_late_sees_the_score(const Target& target) {
  Table table(target, 5);
  table.sit_down();
  table.play_round(rock, scissors);
  table.play_round(rock, rock);
  Spectator spectator(target, table);
  const Observation seen = spectator.expect(ObservationType::snapshot);
  require_equal("the rounds that are over", seen.rounds, std::uint64_t{2});
  for (const Seat seat : {first, second}) spectator.check_player(seen, seat);
  table.finish();
}

void who_leaves_is_shown(const Target& target) {
  Table table(target);
  table.sit_down();
  Spectator spectator(target, table);
  spectator.expect(ObservationType::snapshot);
  table.leave(second);
  table.expect(first, EventType::opponent_left);
  const Observation away = spectator.expect(ObservationType::left, second);
  require(!away.players[1].present, "who has left is shown to be there");
  table.join(second);
  table.expect_both(EventType::opponent_joined);
  spectator.expect(ObservationType::joined, second);
  table.finish();
  spectator.expect(ObservationType::left, second);
  spectator.expect(ObservationType::left, first);
  spectator.expect_end(Id());
}

void watched_after_the_end(const Target& target) {
  Table table(target, 1);
  table.sit_down();
  table.play_round(rock, scissors);
  Spectator spectator(target, table);
  const Observation seen = spectator.expect(ObservationType::snapshot);
  require(seen.is_over, "the duel is not shown to be over");
  require_equal("the winner", seen.winner, Id(table.player_id(first)));
  table.finish();
}

void spectators_disturb_nobody(const Target& target) {
  require_connections_meet(target);
  Table table(target, 5);
  table.sit_down();
  for (int i = 0; i < 3; ++i) {
    Spectator brief(target, table);
    brief.expect(ObservationType::snapshot);
    table.play_round(rock, rock);
  }
  table.play_round(paper, rock);
  table.finish();
}

}  // namespace

std::vector<Case> watch_cases() {
  return {
      {"watch/refused", "only a duel that exists can be watched", nobody_to_watch},
      {"watch/whole_duel", "a spectator sees all that happens, in order", whole_duel},
      {"watch/hidden_throw", "a spectator sees no throw before the round is over",
       watched_throw_is_hidden},
      {"watch/late", "who comes late sees how the duel stands", who_comes_late_sees_the_score},
      {"watch/left",
       "a spectator sees who leaves and comes back, and the end of a duel that is left",
       who_leaves_is_shown},
      {"watch/over", "who comes after the end sees how it ended", watched_after_the_end},
      {"watch/undisturbed", "spectators that come and go disturb no player",
       spectators_disturb_nobody},
  };
}

}  // namespace rps::conformance
