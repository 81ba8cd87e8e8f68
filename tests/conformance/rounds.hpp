// A session as its player would write it down: what every round's reply must say.
#pragma once

#include <string_view>

#include "core/score.hpp"
#include "tests/conformance/target.hpp"

namespace rps::conformance {

// R, P or S; `unspecified` for any other.
Move move_of_letter(char letter);

// Throws Failed unless result and reason are those of the rules.
void check_verdict(Move move, const Answer& answer);

class SessionBook {
 public:
  // REQUIRES: `session_id` outlives the book.
  explicit SessionBook(std::string_view session_id) : session_id_(session_id) {}

  // Plays the next round and checks verdict, round and score. Returns the house's move.
  Move play_round(Player& player, Move move);

  const Score& score() const { return score_; }

 private:
  std::string_view session_id_;
  Score score_;
};

}  // namespace rps::conformance
