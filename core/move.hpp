// What a player can throw, and its spelling.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rps {

// Numbered as on the gRPC wire. The zero value means that no move was given; all stages refuse it.
enum class Move : std::uint8_t { unspecified = 0, rock = 1, paper = 2, scissors = 3 };

inline constexpr std::array<Move, 3> all_moves{Move::rock, Move::paper, Move::scissors};

// The move's place in a table of three. REQUIRES: `move` is real.
constexpr std::size_t index_of(Move move) {
  assert(move >= Move::rock && move <= Move::scissors);
  return static_cast<std::size_t>(move) - 1;
}

// The move at a place in a table of three. REQUIRES: index < 3.
constexpr Move move_at(std::size_t index) {
  assert(index < 3);
  return static_cast<Move>(index + 1);
}

// The move that beats `move`. REQUIRES: `move` is real.
constexpr Move counter_of(Move move) {
  return move_at((index_of(move) + 1) % 3);
}

// The spelling on every wire.
constexpr std::string_view to_string(Move move) {
  switch (move) {
    case Move::unspecified: return "MOVE_UNSPECIFIED";
    case Move::rock: return "ROCK";
    case Move::paper: return "PAPER";
    case Move::scissors: return "SCISSORS";
  }
  return "MOVE_UNSPECIFIED";
}

// Reads the wire's spelling, exactly: `ROCK`, `PAPER`, `SCISSORS` and nothing else.
constexpr std::optional<Move> parse_move(std::string_view text) {
  for (const Move move : all_moves) {
    if (text == to_string(move)) return move;
  }
  return std::nullopt;
}

}  // namespace rps
