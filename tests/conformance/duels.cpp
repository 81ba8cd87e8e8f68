// Two people against each other. `Table` checks what each of them is told; the cases say what they
// do.
#include "tests/conformance/cases.hpp"
#include "tests/conformance/commands.hpp"
#include "tests/conformance/rules.hpp"
#include "tests/conformance/table.hpp"

namespace rps::conformance {

namespace {

void require_not_your_turn(std::string_view who, std::optional<Error> error) {
  require(error == Error::not_your_turn, who, " is answered ", error, ", must be not_your_turn");
}

void all_nine_pairs(const Target& target) {
  Table table(target, limits::best_of_max);
  table.sit_down();
  for (const Rule& rule : rules) table.play_round(rule.player, rule.opponent);
  table.finish();
}

void both_on_one_connection(const Target& target) {
  Table table(target, 3, Table::Wiring::shared);
  table.sit_down();
  table.play_round(rock, scissors);
  table.play_round(rock, rock);
  table.play_round(rock, scissors);
  table.finish();
}

// The first throws ROCK, and tries to throw again.
void throw_rock_twice(Table& table) {
  table.sit_down();
  table.throw_first(first, rock);
  require_not_your_turn("a second throw", table.try_throw(first, paper));
}

void throw_is_hidden(const Target& target) {
  Table table(target);
  // Nothing else is told until the second throws, not even when the first tries again.
  throw_rock_twice(table);
  table.throw_move(second, paper);
  table.expect_both(EventType::round_over);
  table.finish();
}

void second_may_throw_first(const Target& target) {
  Table table(target);
  table.sit_down();
  table.throw_first(second, rock);
  table.throw_move(first, paper);
  const Event event = table.expect(first, EventType::round_over);
  require_equal("PAPER against ROCK in the duel", event.result, Result::win);
  table.expect(second, EventType::round_over);
  table.finish();
}

void draws_do_not_count(const Target& target) {
  Table table(target, 1);
  table.sit_down();
  table.play_round(rock, rock);
  table.play_round(paper, paper);
  table.play_round(scissors, rock);
  require_equal("the loser's score", table.score(first), Score{.draws = 2, .losses = 1});
  require_not_your_turn("a throw after the end", table.try_throw(first, rock));
  table.finish();
}

void best_of_five(const Target& target) {
  Table table(target, 5);
  table.sit_down();
  table.play_round(rock, scissors);
  table.play_round(rock, paper);
  table.play_round(paper, rock);
  table.play_round(scissors, rock);
  require(!table.try_throw(second, rock), "after 2 : 2 of 5 nobody may throw");
  table.expect(first, EventType::opponent_ready);
  table.throw_move(first, paper);
  for (const Seat seat : {first, second}) {
    table.expect(seat, EventType::round_over);
    const Event end = table.expect(seat, EventType::game_over);
    require_equal("the winner", end.winner, Id(table.player_id(first)));
  }
  for (const Seat seat : {first, second}) {
    require_not_your_turn("a throw after the end", table.try_throw(seat, rock));
  }
  table.finish();
}

void first_decides_best_of(const Target& target) {
  Table table(target, 5);
  table.join(first);
  const Answer answer =
      table.connection(second).ask_gladly(join(table.game_id(), table.player_id(second), 99));
  require_equal("the second's best_of", answer.reply.best_of, 5U);
  table.expect_both(EventType::opponent_joined);
  table.finish();
}

void third_finds_no_chair(const Target& target) {
  Table table(target);
  table.sit_down();
  const std::string third = fresh_id();
  Player& connection = table.connection(first);
  require_equal<std::optional<Error>>("the third's join",
                                      connection.ask(join(table.game_id(), third)).reply.error,
                                      Error::game_full);
  require_not_your_turn("the third's throw",
                        connection.ask(throw_move(table.game_id(), third, rock)).reply.error);
  require_not_your_turn("the third's leave",
                        connection.ask(leave(table.game_id(), third)).reply.error);
  table.play_round(rock, scissors);
  table.finish();
}

void alone_nobody_throws(const Target& target) {
  Table table(target);
  table.join(first);
  require_not_your_turn("a throw before the opponent came", table.try_throw(first, rock));
  table.join(second);
  table.expect_both(EventType::opponent_joined);
  table.play_round(paper, rock);  // The refused throw is forgotten.
  table.finish();
}

void nobody_throws_twice(const Target& target) {
  Table table(target);
  throw_rock_twice(table);
  table.throw_move(second, scissors);
  const Event event = table.expect(first, EventType::round_over);
  require_equal("the move that counts", event.player_move, rock);
  table.expect(second, EventType::round_over);
  table.finish();
}

void who_comes_back_finds_everything(const Target& target) {
  Table table(target);
  table.sit_down();
  table.play_round(rock, scissors);
  table.leave(second);
  table.expect(first, EventType::opponent_left);
  require_not_your_turn("a throw while the opponent is away", table.try_throw(first, rock));
  require_not_your_turn("a throw of one who is away", table.try_throw(second, rock));
  require_equal("the seat", table.join(second).seat, second);
  table.expect_both(EventType::opponent_joined);
  table.play_round(paper, rock);  // The second win of three: the score was kept.
  table.finish();
}

// What the first threw before the connection broke still counts, and is still hidden.
void lost_connection_keeps_the_chair(const Target& target) {
  if (target.connections_are_worlds) throw NotOffered("each connection is a server of its own");
  Table table(target);
  table.sit_down();
  table.play_round(rock, scissors);
  table.throw_first(first, rock);
  table.reconnect(first);
  table.expect(second, EventType::opponent_left);
  require_not_your_turn("a throw while the opponent is away", table.try_throw(second, paper));
  require_equal("the seat", table.join(first).seat, first);
  table.expect_both(EventType::opponent_joined);
  table.expect(second, EventType::opponent_ready);
  table.throw_move(second, paper);
  const Event event = table.expect(second, EventType::round_over);
  require_equal("the kept throw", event.opponent_move, rock);
  require_equal("the kept score", event.score, Score{.wins = 1, .losses = 1});
  table.expect(first, EventType::round_over);
  table.finish();
}

void over_is_told_again(const Target& target) {
  Table table(target, 1);
  table.sit_down();
  table.play_round(rock, scissors);
  table.leave(second);
  table.expect(first, EventType::opponent_left);
  table.join(second);
  const Event event = table.expect(second, EventType::game_over);
  require_equal("the winner", event.winner, Id(table.player_id(first)));
  table.finish();
}

void left_by_both_it_is_gone(const Target& target) {
  Table table(target);
  table.sit_down();
  table.play_round(rock, scissors);
  table.finish();
  require_equal<std::optional<Error>>("a throw", table.try_throw(first, rock), Error::unknown_game);
}

void games_are_independent(const Target& target) {
  Table one(target);
  Table two(target);
  one.sit_down();
  two.sit_down();
  one.throw_move(first, rock);
  two.play_round(paper, rock);
  one.expect(second, EventType::opponent_ready);
  one.throw_move(second, scissors);
  one.expect_both(EventType::round_over);
  one.finish();
  two.finish();
}

}  // namespace

std::vector<Case> duel_cases() {
  return {
      {"duel/all_nine_pairs", "a round is told to both, each from their own side", all_nine_pairs},
      {"duel/one_connection", "both may play over one connection", both_on_one_connection},
      {"duel/hidden_throw", "until both have thrown, only that one has is told", throw_is_hidden},
      {"duel/any_order", "the second may throw first", second_may_throw_first},
      {"duel/draws", "a draw brings nobody nearer to the end", draws_do_not_count},
      {"duel/best_of_five", "three wins of five end the duel and name the winner", best_of_five},
      {"duel/first_decides", "who opens the duel says best of how many", first_decides_best_of},
      {"duel/third", "a third gets game_full and disturbs nobody", third_finds_no_chair},
      {"duel/alone", "who is alone cannot throw", alone_nobody_throws},
      {"duel/twice", "a throw cannot be taken back", nobody_throws_twice},
      {"duel/leave", "who leaves and comes back finds chair and score",
       who_comes_back_finds_everything},
      {"duel/lost_connection", "a broken connection costs neither chair, score nor throw",
       lost_connection_keeps_the_chair},
      {"duel/over", "who comes back after the end is told of it", over_is_told_again},
      {"duel/left_by_both", "a duel that both have left is gone", left_by_both_it_is_gone},
      {"duel/independent", "a throw in one duel is none in another", games_are_independent},
  };
}

}  // namespace rps::conformance
