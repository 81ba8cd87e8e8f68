// The rules of the game, written out a second time.
//
// The server under test, and this suite with it, may be built from a core whose judge is wrong. So
// nothing here asks the judge: a flipped entry of its table fails these.
#pragma once

#include <array>
#include <string_view>

#include "core/move.hpp"
#include "core/result.hpp"
#include "tests/conformance/check.hpp"

namespace rps::conformance {

struct Rule {
  Move player;
  Move opponent;
  Result result;  // As the player sees it.
  std::string_view reason;
};

inline constexpr std::array<Rule, 9> rules{{
    {Move::rock, Move::rock, Result::draw, "both threw rock"},
    {Move::rock, Move::paper, Result::lose, "paper covers rock"},
    {Move::rock, Move::scissors, Result::win, "rock crushes scissors"},
    {Move::paper, Move::rock, Result::win, "paper covers rock"},
    {Move::paper, Move::paper, Result::draw, "both threw paper"},
    {Move::paper, Move::scissors, Result::lose, "scissors cut paper"},
    {Move::scissors, Move::rock, Result::lose, "rock crushes scissors"},
    {Move::scissors, Move::paper, Result::win, "scissors cut paper"},
    {Move::scissors, Move::scissors, Result::draw, "both threw scissors"},
}};

inline const Rule& rule_for(Move player, Move opponent) {
  for (const Rule& rule : rules) {
    if (rule.player == player && rule.opponent == opponent) return rule;
  }
  throw Failed(say(player, " against ", opponent, " is no round"));
}

}  // namespace rps::conformance
