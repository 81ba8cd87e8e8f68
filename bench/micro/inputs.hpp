// Inputs that a compiler cannot foresee: tables drawn at run time, small enough for the first
// cache.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/command.hpp"
#include "core/judge.hpp"
#include "core/move.hpp"
#include "core/random.hpp"

namespace rps::micro {

inline constexpr std::size_t table_size = 1024;  // A power of two.
inline constexpr std::size_t table_mask = table_size - 1;

inline std::array<Move, table_size> random_moves(std::uint64_t seed) {
  std::array<Move, table_size> moves;
  for (std::size_t i = 0; i < table_size; ++i) moves[i] = move_at(below(3, mix(seed, i)));
  return moves;
}

// One round, as it goes over a wire.
inline Command sample_command() {
  return {.move = Move::rock, .session_id = "player-7f3a2b"};
}
inline Reply sample_reply() {
  return {.opponent_move = Move::paper,
          .result = Result::lose,
          .reason = reason(Move::rock, Move::paper),
          .round = 1234,
          .score = {.wins = 400, .draws = 400, .losses = 434}};
}

// Ids as clients choose them: "player-7f3a2b", 13 bytes.
inline std::vector<std::string> random_ids(std::size_t count, std::uint64_t seed) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < count; ++i) {
    std::string id = "player-";
    for (std::uint64_t bits = (mix(seed, i) & 0xffffff) | 0x1000000; bits > 1; bits >>= 4) {
      id += digits[bits & 15];
    }
    ids.push_back(id);
  }
  return ids;
}

}  // namespace rps::micro
