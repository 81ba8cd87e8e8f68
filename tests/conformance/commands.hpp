// A short function for the command of each operation.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/command.hpp"

namespace rps::conformance {

inline Command play(Move move, std::string_view session_id = {}) {
  return {.operation = Operation::play, .move = move, .session_id = session_id};
}

inline Command score(std::string_view session_id) {
  return {.operation = Operation::score, .session_id = session_id};
}

inline Command join(std::string_view game_id, std::string_view player_id,
                    std::uint32_t best_of = limits::best_of_default) {
  return {
      .operation = Operation::join, .game_id = game_id, .player_id = player_id, .best_of = best_of};
}

inline Command throw_move(std::string_view game_id, std::string_view player_id, Move move) {
  return {
      .operation = Operation::throw_move, .move = move, .game_id = game_id, .player_id = player_id};
}

inline Command leave(std::string_view game_id, std::string_view player_id) {
  return {.operation = Operation::leave, .game_id = game_id, .player_id = player_id};
}

inline Command watch(std::string_view game_id) {
  return {.operation = Operation::watch, .game_id = game_id};
}

}  // namespace rps::conformance
