#include "bench/load/referee.hpp"

#include <cassert>
#include <numeric>

namespace rps::load {

namespace {

// The rule, said as arithmetic: rock 1, paper 2, scissors 3, and each beats the one before it on a
// clock of three. The distance from the opponent's move to the player's decides.
enum class Distance : std::uint8_t { same = 0, one_ahead = 1, one_behind = 2 };

int number(Move move) {
  return static_cast<int>(move);
}

Distance distance(Move player, Move opponent) {
  return static_cast<Distance>((number(player) - number(opponent) + 3) % 3);
}

Result result_of(Distance distance) {
  switch (distance) {
    case Distance::same: return Result::draw;
    case Distance::one_ahead: return Result::win;
    case Distance::one_behind: return Result::lose;
  }
  return Result::draw;
}

std::string_view reason_of(Move player, Distance distance, Move opponent) {
  constexpr std::array<std::string_view, 3> draws{"both threw rock", "both threw paper",
                                                  "both threw scissors"};
  constexpr std::array<std::string_view, 3> wins{"rock crushes scissors", "paper covers rock",
                                                 "scissors cut paper"};
  if (distance == Distance::same) return draws[number(player) - 1];
  return wins[number(distance == Distance::one_ahead ? player : opponent) - 1];
}

}  // namespace

std::uint64_t Verdicts::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

Verdict Referee::check(Move player, const Reply& reply) {
  assert(player >= Move::rock && player <= Move::scissors);
  if (reply.error || reply.operation != Operation::play) return Verdict::refused;

  const Move opponent = reply.opponent_move;
  if (opponent < Move::rock || opponent > Move::scissors) return Verdict::wrong_move;
  const Distance apart = distance(player, opponent);
  const Result expected = result_of(apart);
  score_.add(expected);

  if (reply.result != expected) return Verdict::wrong_result;
  if (reply.reason != reason_of(player, apart, opponent)) return Verdict::wrong_reason;
  if (reply.round != score_.rounds()) return Verdict::wrong_round;
  if (reply.score != score_) return Verdict::wrong_score;
  return Verdict::right;
}

}  // namespace rps::load
