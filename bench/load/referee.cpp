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

// Of one round, whatever came before it.
Verdict check_round(Move player, const Reply& reply) {
  assert(player >= Move::rock && player <= Move::scissors);
  if (reply.error || reply.operation != Operation::play) return Verdict::refused;
  const Move opponent = reply.opponent_move;
  if (opponent < Move::rock || opponent > Move::scissors) return Verdict::wrong_move;
  const Distance apart = distance(player, opponent);
  if (reply.result != result_of(apart)) return Verdict::wrong_result;
  return reply.reason == reason_of(player, apart, opponent) ? Verdict::right
                                                            : Verdict::wrong_reason;
}

}  // namespace

std::uint64_t Verdicts::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

Verdict check_lone_round(Move player, const Reply& reply) {
  const Verdict verdict = check_round(player, reply);
  if (verdict != Verdict::right) return verdict;
  if (reply.round != 0) return Verdict::wrong_round;
  return reply.score == Score{} ? Verdict::right : Verdict::wrong_score;
}

Verdict check_summary(std::size_t rounds, const Reply& reply) {
  if (reply.error) return Verdict::refused;
  return reply.score.rounds() == rounds ? Verdict::right : Verdict::wrong_score;
}

Verdict Referee::check(Move player, const Reply& reply) {
  const Verdict verdict = check_round(player, reply);
  if (verdict == Verdict::refused || verdict == Verdict::wrong_move) return verdict;
  score_.add(result_of(distance(player, reply.opponent_move)));
  if (verdict != Verdict::right) return verdict;
  if (reply.round != score_.rounds()) return Verdict::wrong_round;
  return reply.score == score_ ? Verdict::right : Verdict::wrong_score;
}

}  // namespace rps::load
