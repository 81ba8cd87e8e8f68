// The fixed layout: records whose fields stand at fixed offsets, so that decoding needs no parsing.
// The same calls, replies and events as in JSON, without names; integers are big-endian. A payload
// is one record or, as a batch, several without anything in between.
//
//   request
//   0           1       2      3          4          5         9    17
//   +-----------+-------+------+----------+----------+---------+-----+- - - - -+- - -+
//   | operation | flags | move | length 1 | length 2 | best_of | id  | context | ids |
//   | u8        | u8    | u8   | u8       | u8       | u32     | u64 | 25 B    |     |
//   +-----------+-------+------+----------+----------+---------+-----+- - - - -+- - -+
//     operation  1 play   2 score   3 join   4 throw   5 leave
//     flags      bit 0: a reply is wanted   bit 1: a trace context stands before the ids
//     move       1 ROCK   2 PAPER   3 SCISSORS, of play and throw; the game refuses all others
//     length 1   of the first id: of the session (score; play, where it may be 0) or the game
//     length 2   of the second id: of the player (join, throw, leave)
//     best_of    of join; there is no default here
//     id         any number; the reply repeats it
//     context    trace id 16 B, parent id 8 B, trace flags 1 B (bit 0: sampled)
//   A field that an operation does not have is 0.
//
//   reply
//   0     8           9        10     11       12       13     14       18      26
//   +-----+-----------+--------+------+--------+--------+------+--------+-------+-------+
//   | id  | operation | status | move | result | reason | seat | number | round | score |
//   | u64 | u8        | u8     | u8   | u8     | u8     | u8   | u32    | u64   | 24 B  |
//   +-----+-----------+--------+------+--------+--------+------+--------+-------+-------+
//     id         0 when the request's could not be read
//     operation  of the request; 0 when the call was refused before it reached the game
//     status     0 done, else the number of an error, below
//     move       the opponent's
//     result     1 WIN   2 DRAW   3 LOSE
//     reason     1 both threw rock   2 both threw paper   3 both threw scissors
//                4 paper covers rock   5 rock crushes scissors   6 scissors cut paper
//     seat       1 or 2, of join
//     number     best_of of join; the milliseconds to wait when the status is overloaded
//     score      wins u64, draws u64, losses u64
//   Always 50 bytes; what a reply does not have is 0.
//
//   event
//   0      1      2          3        4        5        6        7       15      39
//   +------+------+----------+--------+--------+--------+--------+-------+-------+- - -+
//   | type | move | opponent | result | length | length | length | round | score | ids |
//   | u8   | u8   | u8       | u8     | u8     | u8     | u8     | u64   | 24 B  |     |
//   +------+------+----------+--------+--------+--------+--------+-------+-------+- - -+
//     type       1 opponent_joined   2 opponent_ready   3 round_over   4 game_over
//                5 opponent_left
//     move, opponent, result   of round_over: both moves, and how it ended for who is told
//     lengths    of the game id, the player id (whom it is told) and the winner (may be 0)
//
// A payload that ends inside a record, holds no record or sets an unknown flag is refused as a
// whole, with one error, and none of its calls is executed: where the next record begins is
// unknown. A wrong value inside a record is an error of that record alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/command.hpp"

// The format itself is fixed_layout_format in format.hpp; here is what both ends must agree on.
namespace rps::jsonrpc::fixed_layout {

inline constexpr std::size_t request_bytes = 17;  // Without the context and the ids.
inline constexpr std::size_t context_bytes = 25;
inline constexpr std::size_t reply_bytes = 50;
inline constexpr std::size_t event_bytes = 39;  // Without the ids.

// What a length can say; the game takes less.
inline constexpr std::size_t length_max = 255;

inline constexpr std::uint8_t wants_reply_flag = 1;
inline constexpr std::uint8_t has_context_flag = 2;

// Where the fields stand. One that names no place follows a byte.

namespace request_field {
enum : std::size_t { operation, flags, move, first_length, second_length, best_of, id = 9 };
}  // namespace request_field

namespace reply_field {
enum : std::size_t {
  id,
  operation = 8,
  status,
  move,
  result,
  reason,
  seat,
  number,
  round = 18,
  score = 26
};
}  // namespace reply_field

namespace event_field {
enum : std::size_t {
  type,
  player_move,
  opponent_move,
  result,
  game_length,
  player_length,
  winner_length,
  round,
  score = 15
};
}  // namespace event_field

// The numbers of the wire. They never change and never depend on how an enumeration is ordered.
// To the wire a value always has a number; from the wire a number may mean nothing.

inline constexpr std::uint8_t done = 0;

constexpr std::uint8_t number_of(Error error) {
  switch (error) {
    case Error::invalid_move: return 1;
    case Error::malformed_request: return 2;
    case Error::unknown_operation: return 3;
    case Error::unknown_session: return 4;
    case Error::unknown_game: return 5;
    case Error::not_your_turn: return 6;
    case Error::game_full: return 7;
    case Error::too_large: return 8;
    case Error::overloaded: return 9;
    case Error::deadline_exceeded: return 10;
    case Error::unavailable: return 11;
    case Error::internal: return 12;
    case Error::unauthenticated: return 13;
    case Error::permission_denied: return 14;
  }
  return 12;
}

constexpr std::optional<Error> error_of(std::uint8_t number) {
  for (const Error error : all_errors) {
    if (number_of(error) == number) return error;
  }
  return std::nullopt;
}

constexpr std::uint8_t number_of(Result result) {
  switch (result) {
    case Result::win: return 1;
    case Result::draw: return 2;
    case Result::lose: return 3;
  }
  return 2;
}

constexpr std::optional<Result> result_of(std::uint8_t number) {
  switch (number) {
    case 1: return Result::win;
    case 2: return Result::draw;
    case 3: return Result::lose;
    default: return std::nullopt;
  }
}

// Of a reason in words. 0 for none and for words that are not the judge's.
std::uint8_t number_of_reason(std::string_view reason);

// The words, or an empty view. A constant.
std::string_view reason_of(std::uint8_t number);

// These are numbered in the core as they are here.

constexpr std::uint8_t number_of(Move move) {
  return static_cast<std::uint8_t>(move);
}
static_assert(number_of(Move::unspecified) == 0 && number_of(Move::rock) == 1 &&
              number_of(Move::paper) == 2 && number_of(Move::scissors) == 3);

// `unspecified` for a number that is no move.
constexpr Move move_of(std::uint8_t number) {
  return number <= 3 ? static_cast<Move>(number) : Move::unspecified;
}

constexpr std::uint8_t number_of(Operation operation) {
  return static_cast<std::uint8_t>(operation);
}
static_assert(number_of(Operation::play) == 1 && number_of(Operation::score) == 2 &&
              number_of(Operation::join) == 3 && number_of(Operation::throw_move) == 4 &&
              number_of(Operation::leave) == 5);

constexpr std::optional<Operation> operation_of(std::uint8_t number) {
  if (number < 1 || number > player_operations.size()) return std::nullopt;
  return static_cast<Operation>(number);
}

constexpr std::uint8_t number_of(Seat seat) {
  return static_cast<std::uint8_t>(seat);
}
static_assert(number_of(Seat::none) == 0 && number_of(Seat::first) == 1 &&
              number_of(Seat::second) == 2);

constexpr std::uint8_t number_of(EventType type) {
  return static_cast<std::uint8_t>(type);
}
static_assert(number_of(EventType::opponent_joined) == 1 &&
              number_of(EventType::opponent_ready) == 2 && number_of(EventType::round_over) == 3 &&
              number_of(EventType::game_over) == 4 && number_of(EventType::opponent_left) == 5);

constexpr std::optional<EventType> event_type_of(std::uint8_t number) {
  if (number < 1 || number > 5) return std::nullopt;
  return static_cast<EventType>(number);
}

// Three numbers of eight bytes each.
void store_score(const Score& score, char* at);
Score load_score(const char* at);

}  // namespace rps::jsonrpc::fixed_layout
