// Conversion between the contract's values and protobuf messages, both ways.
#pragma once

#include <optional>

#include "core/command.hpp"
#include "core/observation.hpp"
#include "rps/v1/rps.pb.h"

namespace rps::rpc {

// A number that names no move is `unspecified`, which the game refuses.
constexpr Move from_wire(v1::Move move) {
  switch (move) {
    case v1::ROCK: return Move::rock;
    case v1::PAPER: return Move::paper;
    case v1::SCISSORS: return Move::scissors;
    case v1::MOVE_UNSPECIFIED:
    case v1::Move_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::Move_INT_MAX_SENTINEL_DO_NOT_USE_: break;
  }
  return Move::unspecified;
}

constexpr v1::Move to_wire(Move move) {
  switch (move) {
    case Move::unspecified: return v1::MOVE_UNSPECIFIED;
    case Move::rock: return v1::ROCK;
    case Move::paper: return v1::PAPER;
    case Move::scissors: return v1::SCISSORS;
  }
  return v1::MOVE_UNSPECIFIED;
}

// Nothing when the number names no result.
constexpr std::optional<Result> from_wire(v1::Result result) {
  switch (result) {
    case v1::WIN: return Result::win;
    case v1::DRAW: return Result::draw;
    case v1::LOSE: return Result::lose;
    case v1::RESULT_UNSPECIFIED:
    case v1::Result_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::Result_INT_MAX_SENTINEL_DO_NOT_USE_: break;
  }
  return std::nullopt;
}

constexpr v1::Result to_wire(Result result) {
  switch (result) {
    case Result::win: return v1::WIN;
    case Result::draw: return v1::DRAW;
    case Result::lose: return v1::LOSE;
  }
  return v1::RESULT_UNSPECIFIED;
}

// What a request of a type asks for; none when that stands in the message.
template <class Request>
inline constexpr std::optional<Operation> operation_of = std::nullopt;
template <>
inline constexpr std::optional<Operation> operation_of<v1::PlayRequest> = Operation::play;
template <>
inline constexpr std::optional<Operation> operation_of<v1::ScoreRequest> = Operation::score;
template <>
inline constexpr std::optional<Operation> operation_of<v1::WatchRequest> = Operation::watch;

// The server's direction: requests to commands, replies to responses. A command's views point into
// its message. A DuelRequest without any of its alternatives is no command: the peer asked for
// something that this version of the contract does not know, or for nothing.
Command read(const v1::PlayRequest& request);
Command read(const v1::ScoreRequest& request);
Command read(const v1::WatchRequest& request);
std::optional<Command> read(const v1::DuelRequest& request);
void write(const Reply& reply, v1::PlayResponse& out);   // REQUIRES: !reply.error.
void write(const Reply& reply, v1::ScoreResponse& out);  // REQUIRES: !reply.error.
void write(const Reply& reply, v1::DuelResponse& out);   // An error as well.
void write(const Score& score, v1::GameScore& out);
void write(const Event& event, v1::GameEvent& out);
void write(const Observation& seen, v1::WatchResponse& out);

// The client's direction: commands to requests, responses to replies. An empty optional field is
// left out; everything else is written unchecked, so that a test can send wrong requests to a
// server.
void write(const Command& command, v1::PlayRequest& out);
void write(const Command& command, v1::ScoreRequest& out);
void write(const Command& command, v1::WatchRequest& out);
void write(const Command& command, v1::DuelRequest& out);

// A response is wrong when it says nothing; names a move, a result, a seat or an id that is none;
// has a score whose rounds are not its wins, draws and losses together, or a spectator's round that
// is not the last one of the state; or is the reply to another request than `asked`. A wrong reply
// is read as Error::internal; a wrong event or observation as nothing. A Reply's views point into
// its message.
Reply read(const v1::PlayResponse& response);
Reply read(const v1::ScoreResponse& response);
Reply read(const v1::DuelResponse& response, Operation asked);
std::optional<Event> read(const v1::GameEvent& event);
std::optional<Observation> read(const v1::WatchResponse& response);

}  // namespace rps::rpc
