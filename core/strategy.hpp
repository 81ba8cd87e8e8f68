// The house's five ways to choose a move. Each is a pure function of (seed, history), so one seed
// gives one transcript on every transport, and a test needs neither a clock nor a random device.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/move.hpp"

namespace rps {

enum class Strategy : std::uint8_t {
  fair,      // Each move with probability 1/3.
  weighted,  // Rock 50 %, paper 30 %, scissors 20 %: a house with a habit.
  cycle,     // Rock, paper, scissors, rock … from a place that the seed chooses.
  mirror,    // What the player threw last; fair in the first round.
  markov,    // Beats what the player most often threw after the last move; ties fall by the seed.
};

inline constexpr std::array<Strategy, 5> all_strategies{
    Strategy::fair, Strategy::weighted, Strategy::cycle, Strategy::mirror, Strategy::markov};

constexpr std::string_view to_string(Strategy strategy) {
  switch (strategy) {
    case Strategy::fair: return "fair";
    case Strategy::weighted: return "weighted";
    case Strategy::cycle: return "cycle";
    case Strategy::mirror: return "mirror";
    case Strategy::markov: return "markov";
  }
  return "fair";
}

constexpr std::optional<Strategy> parse_strategy(std::string_view name) {
  for (const Strategy strategy : all_strategies) {
    if (name == to_string(strategy)) return strategy;
  }
  return std::nullopt;
}

// What a strategy knows of a session. Its size does not grow with the number of rounds.
struct History {
  std::uint64_t rounds = 0;
  Move player_last = Move::unspecified;
  // follows[a][b]: how often the player threw b right after a. Halved together when one is full.
  std::array<std::array<std::uint16_t, 3>, 3> follows{};

  // Appends a round. REQUIRES: `player` is real.
  void record(Move player);
};

// The house's move in the round after `history`.
Move house_move(Strategy strategy, std::uint64_t seed, const History& history);

}  // namespace rps
