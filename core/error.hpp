// Everything that can go wrong for a caller. Each stage maps these to its own wire with a switch
// that has no default, so a new enumerator does not build until every stage has an answer.
// The table of all mappings is docs/errors.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rps {

enum class Error : std::uint8_t {
  invalid_move,       // The move is missing or is not ROCK, PAPER or SCISSORS.
  malformed_request,  // Not a request of the protocol, or an id or number outside its limits.
  unknown_operation,  // A well-formed request for something that does not exist.
  unknown_session,    // No round was played under this session id, or it has expired.
  unknown_game,       // Nobody has joined a duel of this id, or it has expired.
  not_your_turn,      // Thrown already, alone in the duel or not in it, or the duel is over.
  game_full,          // Two other players are in this duel.
  unauthenticated,    // The caller must say who it is, and did not, or is not believed.
  permission_denied,  // The caller is known and may not carry out this operation.
  too_large,          // Longer than a limit of this transport; the connection closes after it.
  overloaded,         // A bound of the server is reached; try again after `retry_after_ms`.
  deadline_exceeded,  // The caller's deadline passed before the answer was there.
  unavailable,        // The server drains, or cannot be reached.
  internal,           // A bug of the server, or a failure that no other error describes.
};

inline constexpr std::array<Error, 14> all_errors{
    Error::invalid_move,    Error::malformed_request, Error::unknown_operation,
    Error::unknown_session, Error::unknown_game,      Error::not_your_turn,
    Error::game_full,       Error::unauthenticated,   Error::permission_denied,
    Error::too_large,       Error::overloaded,        Error::deadline_exceeded,
    Error::unavailable,     Error::internal,
};

// The name: on the console, in JSON-RPC error data, in gRPC status messages, as a metric label.
constexpr std::string_view to_string(Error error) {
  switch (error) {
    case Error::invalid_move: return "invalid_move";
    case Error::malformed_request: return "malformed_request";
    case Error::unknown_operation: return "unknown_operation";
    case Error::unknown_session: return "unknown_session";
    case Error::unknown_game: return "unknown_game";
    case Error::not_your_turn: return "not_your_turn";
    case Error::game_full: return "game_full";
    case Error::unauthenticated: return "unauthenticated";
    case Error::permission_denied: return "permission_denied";
    case Error::too_large: return "too_large";
    case Error::overloaded: return "overloaded";
    case Error::deadline_exceeded: return "deadline_exceeded";
    case Error::unavailable: return "unavailable";
    case Error::internal: return "internal";
  }
  return "internal";
}

// One sentence for a person, without a full stop.
constexpr std::string_view explain(Error error) {
  switch (error) {
    case Error::invalid_move: return "the move must be ROCK, PAPER or SCISSORS";
    case Error::malformed_request: return "the request is not well-formed";
    case Error::unknown_operation:
      return "the operation is none of play, score, join, throw and leave";
    case Error::unknown_session: return "no round was played in this session";
    case Error::unknown_game: return "there is no such game";
    case Error::not_your_turn: return "this player cannot throw now";
    case Error::game_full: return "two other players sit at this game";
    case Error::unauthenticated: return "the caller is not known to this server";
    case Error::permission_denied: return "the caller may not carry out this operation";
    case Error::too_large: return "the request is larger than the limit";
    case Error::overloaded: return "the server is at its limit, try again later";
    case Error::deadline_exceeded: return "the deadline has passed";
    case Error::unavailable: return "the server is not available";
    case Error::internal: return "the server failed";
  }
  return "the server failed";
}

constexpr std::optional<Error> parse_error(std::string_view name) {
  for (const Error error : all_errors) {
    if (name == to_string(error)) return error;
  }
  return std::nullopt;
}

}  // namespace rps
