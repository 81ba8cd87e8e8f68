// The game for people: one against the house, or two against each other at one keyboard.
#pragma once

#include "core/game.hpp"
#include "stage1_cli/console.hpp"

namespace rps::cli {

// Plays until the person leaves, and says the final score.
void run_interactive(Game& game, Console& console, const Paint& paint);

}  // namespace rps::cli
