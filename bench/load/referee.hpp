// Checks answers by its own statement of the rules. It does not call core/judge.hpp: a harness that
// used the server's table could not find a mistake in it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/command.hpp"

namespace rps::load {

enum class Verdict : std::uint8_t {
  right,
  refused,     // An error came where a round was due.
  wrong_move,  // The reply has no move of the opponent.
  wrong_result,
  wrong_reason,
  wrong_round,  // The session's rounds do not count by one.
  wrong_score,  // The score is not the sum of the rounds.
};

inline constexpr std::array<Verdict, 7> all_verdicts{
    Verdict::right,        Verdict::refused,     Verdict::wrong_move, Verdict::wrong_result,
    Verdict::wrong_reason, Verdict::wrong_round, Verdict::wrong_score};

constexpr std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::right: return "right";
    case Verdict::refused: return "refused";
    case Verdict::wrong_move: return "wrong_move";
    case Verdict::wrong_result: return "wrong_result";
    case Verdict::wrong_reason: return "wrong_reason";
    case Verdict::wrong_round: return "wrong_round";
    case Verdict::wrong_score: return "wrong_score";
  }
  return "wrong_move";
}

// How many answers got which verdict.
class Verdicts {
 public:
  void count(Verdict verdict, std::uint64_t times = 1) {
    counts_[static_cast<std::size_t>(verdict)] += times;
  }
  std::uint64_t of(Verdict verdict) const { return counts_[static_cast<std::size_t>(verdict)]; }
  std::uint64_t total() const;
  std::uint64_t not_right() const { return total() - of(Verdict::right); }

  bool operator==(const Verdicts&) const = default;

 private:
  std::array<std::uint64_t, all_verdicts.size()> counts_{};
};

// Checks the reply to a round without a session: it has neither number nor score.
// REQUIRES: `player` is real.
Verdict check_lone_round(Move player, const Reply& reply);

// Checks the summary of `rounds` rounds: every one was won, drawn or lost.
Verdict check_summary(std::size_t rounds, const Reply& reply);

// Checks the replies of one session, beginning with its first round. One call of it may be open at
// a time.
class Referee {
 public:
  // Checks the reply to `player`'s move and counts the round. REQUIRES: `player` is real.
  Verdict check(Move player, const Reply& reply);

 private:
  Score score_;
};

}  // namespace rps::load
