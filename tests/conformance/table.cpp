#include "tests/conformance/table.hpp"

#include "tests/conformance/commands.hpp"
#include "tests/conformance/rules.hpp"

namespace rps::conformance {

Table::Table(const Target& target, std::uint32_t best_of, Wiring wiring)
    : target_(target), best_of_(best_of), game_id_(fresh_id()) {
  for (Chair& chair : chairs_) chair.player_id = fresh_id();
  chairs_[0].connection = target.open_player();
  const bool shared = wiring == Wiring::shared || target.connections_are_worlds;
  chairs_[1].connection = shared ? chairs_[0].connection : target.open_player();
}

void Table::sit_down() {
  for (const Seat seat : {Seat::first, Seat::second}) {
    const Reply reply = join(seat);
    require_equal("the seat", reply.seat, seat);
    require_equal("best_of", reply.best_of, best_of_);
  }
  expect_both(EventType::opponent_joined);
}

void Table::play_round(Move firsts, Move seconds) {
  throw_first(Seat::first, firsts);
  throw_move(Seat::second, seconds);
  ++rounds_;
  expect_round(Seat::first, firsts, seconds);
  expect_round(Seat::second, seconds, firsts);
  for (const Seat seat : {Seat::first, Seat::second}) {
    if (score(seat).wins != best_of_ / 2 + 1) continue;
    expect_end(Seat::first, seat);
    expect_end(Seat::second, seat);
  }
}

void Table::finish() {
  leave(Seat::second);
  expect(Seat::first, EventType::opponent_left);
  leave(Seat::first);
  for (const Seat seat : {Seat::first, Seat::second}) {
    const auto event = connection(seat).left_over();
    require(!event, event ? event->type : EventType{}, " was told, and nothing had happened");
  }
}

Reply Table::join(Seat seat) {
  const Answer answer =
      connection(seat).ask(conformance::join(game_id_, player_id(seat), best_of_));
  if (answer.reply.error == Error::unknown_operation) throw NotOffered("no duels");
  require(!answer.reply.error, "join is refused with ", answer.reply.error);
  return answer.reply;
}

void Table::throw_move(Seat seat, Move move) {
  const auto error = try_throw(seat, move);
  require(!error, "the throw of ", move, " is refused with ", error);
}

void Table::throw_first(Seat seat, Move move) {
  throw_move(seat, move);
  expect(seat == Seat::first ? Seat::second : Seat::first, EventType::opponent_ready);
}

void Table::leave(Seat seat) {
  connection(seat).ask_gladly(conformance::leave(game_id_, player_id(seat)));
}

std::optional<Error> Table::try_throw(Seat seat, Move move) {
  return connection(seat).ask(conformance::throw_move(game_id_, player_id(seat), move)).reply.error;
}

Event Table::expect(Seat seat, EventType type) {
  const auto event = connection(seat).next_event(game_id_, player_id(seat));
  require(event.has_value(), "player ", seat, " was not told ", type);
  require(event->type == type, "player ", seat, " is told ", event->type, ", must be ", type);
  if (type != EventType::round_over) {
    require(event->player_move == Move::unspecified && event->opponent_move == Move::unspecified,
            type, " tells a move");
  }
  return *event;
}

void Table::expect_both(EventType type) {
  for (const Seat seat : {Seat::first, Seat::second}) expect(seat, type);
}

void Table::expect_round(Seat seat, Move own, Move others) {
  const Event event = expect(seat, EventType::round_over);
  const Rule& rule = rule_for(own, others);
  chair(seat).score.add(rule.result);
  const std::string round = say(own, " against ", others, " in the duel");
  require_equal(round + ": the player's move", event.player_move, own);
  require_equal(round + ": the opponent's move", event.opponent_move, others);
  require_equal(round, event.result, rule.result);
  require_equal(round + ": the round", event.round, rounds_);
  require_equal(round + ": the score", event.score, score(seat));
}

void Table::expect_end(Seat seat, Seat winner) {
  const Event event = expect(seat, EventType::game_over);
  require_equal("the winner", event.winner, Id(player_id(winner)));
  require_equal("the final score", event.score, score(seat));
}

void Table::reconnect(Seat seat) {
  chair(seat).connection.reset();
  chair(seat).connection = target_.open_player();
}

}  // namespace rps::conformance
