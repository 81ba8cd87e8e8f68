// A duel of two people at one keyboard: each throws hidden from the other.
#pragma once

#include <cstdint>

#include "core/game.hpp"
#include "stage1_cli/console.hpp"

namespace rps::cli {

// Asks for the names, plays best of `best_of` through the game's duel `game_id`, and tells how it
// went. Ends early when somebody says `quit` instead of a move, or leaves the console.
// REQUIRES: best_of is odd and at most rps::limits::best_of_max; no such duel is open.
void play_hot_seat(Game& game, Console& console, const Paint& paint, const Id& game_id,
                   std::uint32_t best_of);

}  // namespace rps::cli
