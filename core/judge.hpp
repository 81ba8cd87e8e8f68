// The judge: the table that decides who wins a round. Read this file first.
//
// Every server links this table, and none repeats it. judge() is pure: it reads no clock, writes no
// log and allocates nothing. Any thread may call it, also at compile time.
#pragma once

#include <array>
#include <string_view>

#include "core/move.hpp"
#include "core/result.hpp"

namespace rps {

namespace detail {

// Rows are the player's move, columns the opponent's, both in the order rock, paper, scissors.
inline constexpr std::array<std::array<Result, 3>, 3> judge_table{{
    {Result::draw, Result::lose, Result::win},  // Rock: draws rock, loses to paper, beats scissors.
    {Result::win, Result::draw, Result::lose},  // Paper.
    {Result::lose, Result::win, Result::draw},  // Scissors.
}};

inline constexpr std::array<std::array<std::string_view, 3>, 3> reason_table{{
    {"both threw rock", "paper covers rock", "rock crushes scissors"},
    {"paper covers rock", "both threw paper", "scissors cut paper"},
    {"rock crushes scissors", "scissors cut paper", "both threw scissors"},
}};

}  // namespace detail

// How the round ended as the player sees it. REQUIRES: both moves are real (not `unspecified`).
constexpr Result judge(Move player, Move opponent) {
  return detail::judge_table[index_of(player)][index_of(opponent)];
}

// Why it ended so, in words; the same from either side. REQUIRES: as judge().
constexpr std::string_view reason(Move player, Move opponent) {
  return detail::reason_table[index_of(player)][index_of(opponent)];
}

static_assert(judge(Move::rock, Move::rock) == Result::draw);
static_assert(judge(Move::rock, Move::paper) == Result::lose);
static_assert(judge(Move::rock, Move::scissors) == Result::win);
static_assert(judge(Move::paper, Move::rock) == Result::win);
static_assert(judge(Move::paper, Move::paper) == Result::draw);
static_assert(judge(Move::paper, Move::scissors) == Result::lose);
static_assert(judge(Move::scissors, Move::rock) == Result::lose);
static_assert(judge(Move::scissors, Move::paper) == Result::win);
static_assert(judge(Move::scissors, Move::scissors) == Result::draw);

}  // namespace rps
