// The contract as values: a player's request (Command), its reply (Reply), and what a duel sends to
// a player unasked (Event). Every wire format of the repository encodes these three types.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/error.hpp"
#include "core/id.hpp"
#include "core/limits.hpp"
#include "core/move.hpp"
#include "core/result.hpp"
#include "core/score.hpp"

namespace rps {

enum class Operation : std::uint8_t {
  play = 1,        // One round against the house.
  score = 2,       // The rounds of a session so far.
  join = 3,        // Join a duel.
  throw_move = 4,  // Throw in a duel, hidden until the other has thrown too.
  leave = 5,       // Leave a duel.
  watch = 6,       // See all that happens in a duel, without a seat (observation.hpp).
};

// Those of a player, which every wire offers. `watch` is a spectator's; a wire may offer it.
inline constexpr std::array player_operations{Operation::play, Operation::score, Operation::join,
                                              Operation::throw_move, Operation::leave};
inline constexpr std::array all_operations{Operation::play,  Operation::score,
                                           Operation::join,  Operation::throw_move,
                                           Operation::leave, Operation::watch};

// The name on every wire and as a metric label.
constexpr std::string_view to_string(Operation operation) {
  switch (operation) {
    case Operation::play: return "play";
    case Operation::score: return "score";
    case Operation::join: return "join";
    case Operation::throw_move: return "throw";
    case Operation::leave: return "leave";
    case Operation::watch: return "watch";
  }
  return "play";
}

constexpr std::optional<Operation> parse_operation(std::string_view name) {
  for (const Operation operation : all_operations) {
    if (name == to_string(operation)) return operation;
  }
  return std::nullopt;
}

// The same for one of player_operations.
constexpr std::optional<Operation> parse_player_operation(std::string_view name) {
  const auto operation = parse_operation(name);
  return operation != Operation::watch ? operation : std::nullopt;
}

// Whether the operation is of a duel. Such operations lead to events or observations, so a
// transport that cannot push must refuse them.
constexpr bool is_of_duel(Operation operation) {
  switch (operation) {
    case Operation::play:
    case Operation::score: return false;
    case Operation::join:
    case Operation::throw_move:
    case Operation::leave:
    case Operation::watch: return true;
  }
  return false;
}

// The place of a player in a duel, in the order of joining.
enum class Seat : std::uint8_t { none = 0, first = 1, second = 2 };

constexpr Seat other(Seat seat) {
  return seat == Seat::first ? Seat::second : Seat::first;
}

// The place of a seat in an array of both. REQUIRES: the seat is not `none`.
constexpr std::size_t index_of(Seat seat) {
  return static_cast<std::size_t>(seat) - 1;
}

// A player's request. The views point into the caller's bytes and are valid as long as those are.
struct Command {
  Operation operation = Operation::play;
  Move move = Move::unspecified;                    // play, throw
  std::string_view session_id;                      // play (optional), score
  std::string_view game_id;                         // join, throw, leave, watch
  std::string_view player_id;                       // join, throw, leave
  std::uint32_t best_of = limits::best_of_default;  // join
};

// Whether carrying `command` out twice has the same effect as once. A round in a session and what a
// player does in a duel change state, so they do not.
constexpr bool is_idempotent(const Command& command) {
  switch (command.operation) {
    case Operation::play: return command.session_id.empty();
    case Operation::score:
    case Operation::watch: return true;
    case Operation::join:
    case Operation::throw_move:
    case Operation::leave: return false;
  }
  return false;
}

// The reply to a command. If `error` is set, only `operation` and `retry_after_ms` have a meaning.
struct Reply {
  Operation operation = Operation::play;
  std::optional<Error> error;
  std::uint32_t retry_after_ms = 0;        // overloaded, and unavailable over HTTP
  Move opponent_move = Move::unspecified;  // play
  Result result = Result::draw;            // play, as the player sees it
  std::string_view reason;                 // play; valid as long as the reply is being handled
  std::uint64_t round = 0;                 // play; 1 is the session's first, 0 without session
  Score score;                             // play, score; all zero without session
  Seat seat = Seat::none;                  // join
  std::uint32_t best_of = 0;               // join; what the first of the two asked for
};

enum class EventType : std::uint8_t {
  opponent_joined = 1,  // The other player has joined; both may throw.
  opponent_ready = 2,   // The other has thrown; what stays hidden.
  round_over = 3,       // Both have thrown.
  game_over = 4,        // One has won most of best_of rounds, or the duel was given up.
  opponent_left = 5,    // The other left or lost the connection; joining again continues the duel.
};

constexpr std::string_view to_string(EventType type) {
  switch (type) {
    case EventType::opponent_joined: return "opponent_joined";
    case EventType::opponent_ready: return "opponent_ready";
    case EventType::round_over: return "round_over";
    case EventType::game_over: return "game_over";
    case EventType::opponent_left: return "opponent_left";
  }
  return "opponent_left";
}

constexpr std::optional<EventType> parse_event_type(std::string_view name) {
  for (const EventType type :
       {EventType::opponent_joined, EventType::opponent_ready, EventType::round_over,
        EventType::game_over, EventType::opponent_left}) {
    if (name == to_string(type)) return type;
  }
  return std::nullopt;
}

// What a duel tells one of its two players, from that player's point of view. Owns its strings.
struct Event {
  EventType type = EventType::opponent_joined;
  Id game_id;
  Id player_id;                            // Whom it is told.
  Move player_move = Move::unspecified;    // round_over
  Move opponent_move = Move::unspecified;  // round_over
  Result result = Result::draw;            // round_over
  std::uint64_t round = 0;                 // round_over; 1 is the first
  Score score;                             // round_over, game_over
  Id winner;                               // game_over; empty when the duel was given up
};

// Where a duel's events go.
class EventSink {
 public:
  // The game calls it in the order of the duel's events, on the thread whose command caused the
  // event, and while it holds the duel's lock. So on_event() must not block, must not call the
  // game, and must not throw: the command has been carried out, and another player gets its event.
  virtual void on_event(const Event& event) = 0;

 protected:
  ~EventSink() = default;
};

}  // namespace rps
