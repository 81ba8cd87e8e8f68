// A payload of JSON-RPC 2.0 as values: its calls, each of which is either a command for the game or
// the reason why there is none. A format (format.hpp) decodes them from bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/command.hpp"
#include "core/trace.hpp"

namespace rps::jsonrpc {

// The codes of the specification (section 5.1) and, from -32000 down, of this server.
enum class Code : int {
  parse_error = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  internal_error = -32603,
  overloaded = -32000,
  unknown = -32001,
  refused = -32002,
  too_large = -32003,
  deadline_exceeded = -32004,
  unavailable = -32005,
  unauthenticated = -32006,
  permission_denied = -32007,
};

// Why a call never reached the game.
struct Failure {
  Code code = Code::internal_error;
  Error error = Error::internal;
  std::string_view detail;  // One sentence without a full stop; a constant.

  bool operator==(const Failure&) const = default;
};

// Of a request that breaks a rule of JSON-RPC, of its codec or of its protocol.
constexpr Failure malformed(Code code, std::string_view detail) {
  return {.code = code, .error = Error::malformed_request, .detail = detail};
}

// Of a message above the limit of its protocol.
inline constexpr Failure too_large_failure{
    .code = Code::too_large, .error = Error::too_large, .detail = explain(Error::too_large)};

// Of a method that does not exist.
inline constexpr Failure unknown_method_failure{.code = Code::method_not_found,
                                                .error = Error::unknown_operation,
                                                .detail = explain(Error::unknown_operation)};

// Of a batch with more calls than Limits::batch_calls_max.
inline constexpr Failure long_batch_failure =
    malformed(Code::invalid_request, "the batch has too many calls");

struct Call {
  // The bytes of the id, which the reply echoes: in JSON 1.0, 2^70 and "\u0041" stay spelled as
  // they are. The format's null_id when the id is null or could not be read. Points into the
  // payload or to a constant.
  std::string_view id = "null";
  bool wants_reply = true;  // False for a notification, even when it fails.
  std::optional<Failure> failure;
  bool is_discover = false;  // rpc.discover: asks for the description of the methods.
  Command command;           // Means something only without a failure, and unless is_discover.
  std::optional<TraceContext> trace;  // Of the member traceparent, when it is a valid one.
};

// The calls of a payload. Reused for the next payload, so that decoding allocates nothing once the
// vector has grown. Views point into the payload or into `texts`.
struct Calls {
  bool is_batch = false;  // The replies, if any, stand in an array.
  std::vector<Call> list;
  std::deque<std::string> texts;  // Strings that are spelled with escapes, decoded.

  // Appends a call. Copying a blank one costs half of having it constructed in place, which clears
  // all of its bytes before it sets them.
  Call& add() {
    static constexpr Call blank;
    return list.emplace_back(blank);
  }

  void clear() {
    is_batch = false;
    list.clear();
    texts.clear();
  }
};

// The integer that a codec read as a floating-point number. Integers are what JSON Schema counts as
// such (draft 7, section 6.1.1): 3.0 is one, 3.5 is not. Nothing for a negative number, and for one
// so large that a double does not tell it from its neighbours.
constexpr std::optional<std::uint64_t> natural_from(double number) {
  constexpr double max = 0x1p53;
  if (!(number >= 0 && number <= max)) return std::nullopt;
  const auto natural = static_cast<std::uint64_t>(number);
  if (static_cast<double>(natural) != number) return std::nullopt;
  return natural;
}

// The value of best_of that a codec read as a floating-point number.
constexpr std::optional<std::uint32_t> best_of_from(double number) {
  const auto natural = natural_from(number);
  if (!natural || *natural > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*natural);
}

enum class Param : std::uint8_t { move, session_id, game_id, player_id, best_of };
inline constexpr std::size_t param_count = static_cast<std::size_t>(Param::best_of) + 1;

namespace detail {

inline constexpr std::array play_params{Param::move, Param::session_id};
inline constexpr std::array score_params{Param::session_id};
inline constexpr std::array join_params{Param::game_id, Param::player_id, Param::best_of};
inline constexpr std::array throw_params{Param::game_id, Param::player_id, Param::move};
inline constexpr std::array leave_params{Param::game_id, Param::player_id};

}  // namespace detail

// The parameters of an operation, in the order in which an array gives them.
constexpr std::span<const Param> params_of(Operation operation) {
  switch (operation) {
    case Operation::play: return detail::play_params;
    case Operation::score: return detail::score_params;
    case Operation::join: return detail::join_params;
    case Operation::throw_move: return detail::throw_params;
    case Operation::leave: return detail::leave_params;
    case Operation::watch: break;  // Not offered.
  }
  return {};
}

// The parameter that an object calls `name`. play's move goes by two names, as both were in use.
constexpr std::optional<Param> parse_param(Operation operation, std::string_view name) {
  const auto named = [&](Param param) {
    switch (param) {
      case Param::move:
        return name == "move" || (operation == Operation::play && name == "player_move");
      case Param::session_id: return name == "session_id";
      case Param::game_id: return name == "game_id";
      case Param::player_id: return name == "player_id";
      case Param::best_of: return name == "best_of";
    }
    return false;
  };
  for (const Param param : params_of(operation)) {
    if (named(param)) return param;
  }
  return std::nullopt;
}

// Sets the member of the command that `param` names. A string that is no move gives `unspecified`,
// which is also what a missing move is: the game refuses both, so that all transports refuse them
// with the same error. REQUIRES: `param` is not best_of.
constexpr void assign(Command& command, Param param, std::string_view text) {
  switch (param) {
    case Param::move: command.move = parse_move(text).value_or(Move::unspecified); break;
    case Param::session_id: command.session_id = text; break;
    case Param::game_id: command.game_id = text; break;
    case Param::player_id: command.player_id = text; break;
    case Param::best_of: break;
  }
}

}  // namespace rps::jsonrpc
