#include "bench/load/referee.hpp"

#include <string>

#include "core/judge.hpp"
#include "tests/catch.hpp"

using rps::all_moves;
using rps::Move;
using rps::Operation;
using rps::Reply;
using rps::Result;
using rps::load::Referee;
using rps::load::Verdict;
using rps::load::Verdicts;

namespace {

// A right answer to the first round of a session.
Reply first_reply(Move player, Move opponent) {
  Reply reply{.operation = Operation::play,
              .opponent_move = opponent,
              .result = judge(player, opponent),
              .reason = reason(player, opponent),
              .round = 1};
  reply.score.add(reply.result);
  return reply;
}

Verdict verdict_on_first(const Reply& reply) {
  Referee referee;
  return referee.check(Move::rock, reply);
}

}  // namespace

TEST_CASE("the referee and the judge agree on all nine pairs, though neither asks the other") {
  for (const Move player : all_moves) {
    for (const Move opponent : all_moves) {
      Referee referee;
      CHECK(referee.check(player, first_reply(player, opponent)) == Verdict::right);
    }
  }
}

TEST_CASE("each kind of wrong answer is told apart") {
  const Reply right = first_reply(Move::rock, Move::paper);

  Reply reply = right;
  reply.error = rps::Error::internal;
  CHECK(verdict_on_first(reply) == Verdict::refused);

  reply = right;
  reply.operation = Operation::score;
  CHECK(verdict_on_first(reply) == Verdict::refused);

  reply = right;
  reply.opponent_move = Move::unspecified;
  CHECK(verdict_on_first(reply) == Verdict::wrong_move);

  reply = right;
  reply.opponent_move = static_cast<Move>(4);
  CHECK(verdict_on_first(reply) == Verdict::wrong_move);

  reply = right;
  reply.result = Result::win;
  CHECK(verdict_on_first(reply) == Verdict::wrong_result);

  reply = right;
  reply.reason = "rock crushes scissors";
  CHECK(verdict_on_first(reply) == Verdict::wrong_reason);

  reply = right;
  reply.round = 2;
  CHECK(verdict_on_first(reply) == Verdict::wrong_round);

  reply = right;
  ++reply.score.wins;
  CHECK(verdict_on_first(reply) == Verdict::wrong_score);
}

TEST_CASE("a session counts its rounds by one and adds up") {
  Referee referee;
  rps::Score score;
  for (std::uint64_t round = 1; round <= 9; ++round) {
    const Move player = rps::move_at(round % 3);
    Reply reply = first_reply(player, Move::paper);
    score.add(reply.result);
    reply.round = round;
    reply.score = score;
    REQUIRE(referee.check(player, reply) == Verdict::right);
  }
  SECTION("a round told twice is wrong") {
    Reply reply = first_reply(Move::rock, Move::paper);
    reply.round = 9;
    reply.score = score;
    CHECK(referee.check(Move::rock, reply) == Verdict::wrong_round);
  }
  SECTION("a forgotten session is wrong") {
    CHECK(referee.check(Move::rock, first_reply(Move::rock, Move::paper)) == Verdict::wrong_round);
  }
}

TEST_CASE("verdicts are counted one by one") {
  Verdicts verdicts;
  verdicts.count(Verdict::right);
  verdicts.count(Verdict::right);
  verdicts.count(Verdict::wrong_score);
  CHECK(verdicts.total() == 3);
  CHECK(verdicts.not_right() == 1);
  CHECK(verdicts.of(Verdict::wrong_score) == 1);
}
