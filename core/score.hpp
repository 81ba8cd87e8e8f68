// Rounds won, drawn and lost by one of the two players.
#pragma once

#include <cstdint>

#include "core/result.hpp"

namespace rps {

struct Score {
  std::uint64_t wins = 0;
  std::uint64_t draws = 0;
  std::uint64_t losses = 0;

  constexpr std::uint64_t rounds() const { return wins + draws + losses; }

  constexpr void add(Result result) {
    switch (result) {
      case Result::win: ++wins; break;
      case Result::draw: ++draws; break;
      case Result::lose: ++losses; break;
    }
  }

  bool operator==(const Score&) const = default;
};

// The same rounds seen by the other player.
constexpr Score seen_by_opponent(const Score& score) {
  return {.wins = score.losses, .draws = score.draws, .losses = score.wins};
}

}  // namespace rps
