// The console's wire: one request a line, words split by spaces; one reply line each; a duel's
// events are lines of their own. Pure functions in both directions, so that the server's loop, the
// client's codec and the tests mean the same bytes.
//
//   request = "play" MOVE [ID] | "score" ID | "join" GAME PLAYER [BEST_OF]
//           | "throw" GAME PLAYER MOVE | "leave" GAME PLAYER
//   MOVE    = the word or its first letter, in either case
//   reply   = "ok" operation *field | "error" name [retry_after_ms=N] text
//   event   = "event" name *field
//   field   = name "=" value       in a fixed order; `reason` is the last and runs to the line's
//   end
//
// ASCII only. A session, game or player id has no space, so a word is never quoted.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "core/command.hpp"

namespace rps::cli {

// What a person may say for a move: `rock`, `Rock`, `ROCK`, `r`, `R`.
std::optional<Move> parse_spoken_move(std::string_view word);

// Whether the line says nothing. Such a line gets no reply.
bool is_blank(std::string_view line);

// Reads a request line without its end. A word that is no move becomes Move::unspecified, and ids
// are not looked at: the game refuses both, in the same order on every wire.
// Errors: malformed_request (a byte outside ASCII, wrong number of words, bad number),
// unknown_operation. REQUIRES: !is_blank(line).
std::expected<Command, Error> parse_command(std::string_view line);

// Each of these appends one line with its "\n".
//
// A field that cannot be written as one word (because it is empty, or has a space or line end in
// it) is replaced by a word that is no valid id either, so that the game refuses it and the line
// has the right number of words.
void append_command(const Command& command, std::string& out);
void append_reply(const Reply& reply, std::string& out);
void append_error(Error error, std::uint32_t retry_after_ms, std::string& out);
void append_event(const Event& event, std::string& out);

// Read what the functions above wrote, without the line's end. Nothing when the line is anything
// else, or a reply to another operation. The reply's reason points into `line`.
std::optional<Reply> parse_reply(std::string_view line, Operation operation);
std::optional<Event> parse_event(std::string_view line);

// Whether a line of the server is an event and not a reply.
bool is_event(std::string_view line);

}  // namespace rps::cli
