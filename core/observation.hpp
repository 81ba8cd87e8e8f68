// What a duel tells its spectators: what has happened, and the duel as it is then. A spectator sees
// the duel from no player's side, and no thrown move before its round is over.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/command.hpp"
#include "core/id.hpp"
#include "core/move.hpp"
#include "core/score.hpp"

namespace rps {

enum class ObservationType : std::uint8_t {
  snapshot = 1,    // Nothing: this is how the spectator found the duel.
  joined = 2,      // A player has joined, or has come back.
  ready = 3,       // A player has thrown; what stays hidden until the other has thrown, too.
  round_over = 4,  // Both have thrown.
  game_over = 5,   // One has won most of best_of rounds, or the duel was given up.
  left = 6,        // A player left or lost the connection.
};

constexpr std::string_view to_string(ObservationType type) {
  switch (type) {
    case ObservationType::snapshot: return "snapshot";
    case ObservationType::joined: return "joined";
    case ObservationType::ready: return "ready";
    case ObservationType::round_over: return "round_over";
    case ObservationType::game_over: return "game_over";
    case ObservationType::left: return "left";
  }
  return "snapshot";
}

// Owns its strings. Both arrays are in the order of the seats.
struct Observation {
  struct Player {
    Id id;                 // Empty: nobody has taken this seat yet.
    bool present = false;  // Has joined and has neither left nor lost the connection.
    bool ready = false;    // Has thrown in the round that is being played.
    Score score;

    bool operator==(const Player&) const = default;
  };

  ObservationType type = ObservationType::snapshot;
  Seat seat = Seat::none;       // joined, ready, left: the player's.
  std::array<Move, 2> moves{};  // round_over

  // The duel after that.
  Id game_id;
  std::uint32_t best_of = 0;
  std::uint64_t rounds = 0;  // That are over; a draw is one.
  std::array<Player, 2> players;
  bool is_over = false;  // Nothing follows.
  Id winner;             // Empty when nobody has won.

  bool operator==(const Observation&) const = default;
};

// A spectator.
class SpectatorSink {
 public:
  // The game calls it in the order in which everything happens in the duel, on the thread whose
  // command caused it, and while it holds the duel's lock. So on_observation() must not block, must
  // not call the game, and must not throw. After false, or an observation that says is_over, the
  // game calls it no more for this duel.
  virtual bool on_observation(const Observation& seen) = 0;

 protected:
  ~SpectatorSink() = default;
};

}  // namespace rps
