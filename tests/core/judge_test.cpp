// The rules once more, in words that owe nothing to the table: a flipped entry fails here.
#include "core/judge.hpp"

#include "tests/catch.hpp"

using namespace rps;

TEST_CASE("Rock crushes scissors, scissors cut paper, paper covers rock") {
  CHECK(judge(Move::rock, Move::scissors) == Result::win);
  CHECK(judge(Move::scissors, Move::paper) == Result::win);
  CHECK(judge(Move::paper, Move::rock) == Result::win);

  CHECK(judge(Move::scissors, Move::rock) == Result::lose);
  CHECK(judge(Move::paper, Move::scissors) == Result::lose);
  CHECK(judge(Move::rock, Move::paper) == Result::lose);

  CHECK(judge(Move::rock, Move::rock) == Result::draw);
  CHECK(judge(Move::paper, Move::paper) == Result::draw);
  CHECK(judge(Move::scissors, Move::scissors) == Result::draw);
}

TEST_CASE("The judge is antisymmetric") {
  for (const Move a : all_moves) {
    for (const Move b : all_moves) {
      CHECK(judge(a, b) == seen_by_opponent(judge(b, a)));
    }
  }
}

TEST_CASE("Exactly a third of all pairs draw, a third wins and a third loses") {
  int wins = 0;
  int draws = 0;
  int losses = 0;
  for (const Move a : all_moves) {
    for (const Move b : all_moves) {
      const Result result = judge(a, b);
      wins += result == Result::win;
      draws += result == Result::draw;
      losses += result == Result::lose;
      CHECK((result == Result::draw) == (a == b));
    }
  }
  CHECK(wins == 3);
  CHECK(draws == 3);
  CHECK(losses == 3);
}

TEST_CASE("The counter of a move beats it, and nothing else does") {
  for (const Move move : all_moves) {
    for (const Move answer : all_moves) {
      CHECK((judge(answer, move) == Result::win) == (answer == counter_of(move)));
    }
  }
}

TEST_CASE("The reason names what happened, the same from either side") {
  CHECK(reason(Move::rock, Move::scissors) == "rock crushes scissors");
  CHECK(reason(Move::paper, Move::rock) == "paper covers rock");
  CHECK(reason(Move::scissors, Move::paper) == "scissors cut paper");
  CHECK(reason(Move::rock, Move::rock) == "both threw rock");
  CHECK(reason(Move::paper, Move::paper) == "both threw paper");
  CHECK(reason(Move::scissors, Move::scissors) == "both threw scissors");
  for (const Move a : all_moves) {
    for (const Move b : all_moves) CHECK(reason(a, b) == reason(b, a));
  }
}
