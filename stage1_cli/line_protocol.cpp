#include "stage1_cli/line_protocol.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>

#include "core/number.hpp"

namespace rps::cli {

namespace {

constexpr std::string_view unsayable = "\x7f";  // DEL: ASCII, and not allowed in an id.

// ---- Taking a line apart -------------------------------------------------------------------

// Takes the next word off the front of `rest`; empty when there is none.
std::string_view take_word(std::string_view& rest) {
  const std::size_t begin = std::min(rest.find_first_not_of(' '), rest.size());
  const std::size_t end = std::min(rest.find(' ', begin), rest.size());
  const std::string_view word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

bool is_ascii(std::string_view text) {
  unsigned char bits = 0;
  for (const char c : text) bits |= static_cast<unsigned char>(c);
  return bits < 0x80;
}

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// The words of a request: the operation and three more at most. One too many is kept, as a word
// that nobody asks for, so that it can be seen.
struct Words {
  std::array<std::string_view, 5> at;
  std::size_t count = 0;
};

Words split(std::string_view line) {
  Words words;
  while (words.count < words.at.size()) {
    const std::string_view word = take_word(line);
    if (word.empty()) break;
    words.at[words.count++] = word;
  }
  return words;
}

// ---- Reading fields ------------------------------------------------------------------------

// Sets `value` to what was read. False when nothing was.
template <class Value>
bool keep(const std::optional<Value>& read, Value& value) {
  if (read) value = *read;
  return read.has_value();
}

bool read_value(std::string_view text, std::uint64_t& value) {
  return keep(parse_number<std::uint64_t>(text), value);
}
bool read_value(std::string_view text, std::uint32_t& value) {
  return keep(parse_number<std::uint32_t>(text), value);
}
bool read_value(std::string_view text, Move& value) {
  return keep(parse_move(text), value);
}
bool read_value(std::string_view text, Result& value) {
  return keep(parse_result(text), value);
}
bool read_value(std::string_view text, Id& value) {
  return keep(Id::parse(text), value);
}

// Takes `name=` off the front of `rest`, with the space before it.
bool take_name(std::string_view& rest, std::string_view name) {
  if (!rest.starts_with(' ') || !rest.substr(1).starts_with(name)) return false;
  rest.remove_prefix(1 + name.size());
  if (!rest.starts_with('=')) return false;
  rest.remove_prefix(1);
  return true;
}

std::string_view take_value(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view value = rest.substr(0, end);
  rest.remove_prefix(end);
  return value;
}

template <class Value>
bool take_field(std::string_view& rest, std::string_view name, Value& value) {
  return take_name(rest, name) && read_value(take_value(rest), value);
}

bool take_score(std::string_view& rest, Score& score) {
  return take_field(rest, "wins", score.wins) && take_field(rest, "draws", score.draws) &&
         take_field(rest, "losses", score.losses);
}

// ---- Writing fields ------------------------------------------------------------------------

void append_number(std::uint64_t number, std::string& out) {
  std::array<char, 20> digits;  // 2^64 - 1 has twenty.
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_field(std::string_view name, std::string_view value, std::string& out) {
  out += ' ';
  out += name;
  out += '=';
  out += value;
}

void append_field(std::string_view name, std::uint64_t value, std::string& out) {
  append_field(name, std::string_view(), out);
  append_number(value, out);
}

void append_score(const Score& score, std::string& out) {
  append_field("wins", score.wins, out);
  append_field("draws", score.draws, out);
  append_field("losses", score.losses, out);
}

void append_word(std::string_view word, std::string& out) {
  out += ' ';
  if (word.empty()) out += unsayable;
  for (const char c : word) {
    if (c == ' ' || c == '\n' || c == '\r') {
      out += unsayable;
    } else {
      out += c;
    }
  }
}

// ---- Replies, operation by operation -------------------------------------------------------

bool parse_error_line(std::string_view rest, Reply& reply) {
  reply.error = parse_error(take_word(rest));
  if (reply.error != Error::overloaded) return reply.error.has_value();
  return take_field(rest, "retry_after_ms", reply.retry_after_ms);
}

bool parse_play(std::string_view& rest, Reply& reply) {
  const bool understood = take_field(rest, "opponent_move", reply.opponent_move) &&
                          take_field(rest, "result", reply.result) &&
                          take_field(rest, "round", reply.round) && take_score(rest, reply.score) &&
                          take_name(rest, "reason");
  if (understood) reply.reason = std::exchange(rest, {});
  return understood;
}

bool parse_score(std::string_view& rest, Reply& reply) {
  std::uint64_t rounds = 0;
  return take_score(rest, reply.score) && take_field(rest, "rounds", rounds) &&
         rounds == reply.score.rounds();
}

bool parse_join(std::string_view& rest, Reply& reply) {
  std::uint32_t seat = 0;
  if (!take_field(rest, "seat", seat) || (seat != 1 && seat != 2)) return false;
  reply.seat = static_cast<Seat>(seat);
  return take_field(rest, "best_of", reply.best_of);
}

bool parse_fields(std::string_view& rest, Operation operation, Reply& reply) {
  switch (operation) {
    case Operation::play: return parse_play(rest, reply);
    case Operation::score: return parse_score(rest, reply);
    case Operation::join: return parse_join(rest, reply);
    case Operation::throw_move:
    case Operation::leave: return true;
    case Operation::watch: return false;  // Not offered.
  }
  return false;
}

// ---- Events, type by type ------------------------------------------------------------------

bool take_winner(std::string_view& rest, Id& winner) {
  if (!take_name(rest, "winner")) return false;
  const std::string_view value = take_value(rest);
  return value.empty() || read_value(value, winner);
}

bool parse_fields(std::string_view& rest, Event& event) {
  switch (event.type) {
    case EventType::opponent_joined:
    case EventType::opponent_ready:
    case EventType::opponent_left: return true;
    case EventType::round_over:
      return take_field(rest, "player_move", event.player_move) &&
             take_field(rest, "opponent_move", event.opponent_move) &&
             take_field(rest, "result", event.result) && take_field(rest, "round", event.round) &&
             take_score(rest, event.score);
    case EventType::game_over:
      return take_winner(rest, event.winner) && take_score(rest, event.score);
  }
  return false;
}

}  // namespace

// ---- Requests ------------------------------------------------------------------------------

std::optional<Move> parse_spoken_move(std::string_view word) {
  for (const Move move : all_moves) {
    const std::string_view name = to_string(move);
    const auto same = [](char a, char b) { return lower(a) == lower(b); };
    if (std::ranges::equal(word, name, same)) return move;
    if (word.size() == 1 && same(word.front(), name.front())) return move;
  }
  return std::nullopt;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(' ') == std::string_view::npos;
}

std::expected<Command, Error> parse_command(std::string_view line) {
  if (!is_ascii(line)) return std::unexpected(Error::malformed_request);
  const Words words = split(line);
  const auto operation = parse_player_operation(words.at[0]);
  if (!operation) return std::unexpected(Error::unknown_operation);

  Command command{.operation = *operation};
  const auto has = [&](std::size_t min, std::size_t max) {
    return words.count > min && words.count <= max + 1;  // The operation is a word, too.
  };
  const auto move_at_word = [&](std::size_t index) {
    return parse_spoken_move(words.at[index]).value_or(Move::unspecified);
  };
  bool well_formed = false;
  switch (*operation) {
    case Operation::play:
      well_formed = has(1, 2);
      command.move = move_at_word(1);
      command.session_id = words.at[2];
      break;
    case Operation::score:
      well_formed = has(1, 1);
      command.session_id = words.at[1];
      break;
    case Operation::join:
      well_formed = has(2, 2) || (has(3, 3) && read_value(words.at[3], command.best_of));
      break;
    case Operation::throw_move:
      well_formed = has(3, 3);
      command.move = move_at_word(3);
      break;
    case Operation::leave: well_formed = has(2, 2); break;
    case Operation::watch: break;  // No player's operation, so no word of a line reads as one.
  }
  if (!well_formed) return std::unexpected(Error::malformed_request);
  if (is_of_duel(*operation)) {
    command.game_id = words.at[1];
    command.player_id = words.at[2];
  }
  return command;
}

void append_command(const Command& command, std::string& out) {
  out += to_string(command.operation);
  switch (command.operation) {
    case Operation::play:
      append_word(to_string(command.move), out);
      if (!command.session_id.empty()) append_word(command.session_id, out);
      break;
    case Operation::score: append_word(command.session_id, out); break;
    case Operation::join:
      append_word(command.game_id, out);
      append_word(command.player_id, out);
      out += ' ';
      append_number(command.best_of, out);
      break;
    case Operation::throw_move:
      append_word(command.game_id, out);
      append_word(command.player_id, out);
      append_word(to_string(command.move), out);
      break;
    case Operation::leave:
      append_word(command.game_id, out);
      append_word(command.player_id, out);
      break;
    case Operation::watch: append_word(command.game_id, out); break;
  }
  out += '\n';
}

// ---- Replies and events --------------------------------------------------------------------

void append_reply(const Reply& reply, std::string& out) {
  if (reply.error) return append_error(*reply.error, reply.retry_after_ms, out);
  out += "ok ";
  out += to_string(reply.operation);
  switch (reply.operation) {
    case Operation::play:
      append_field("opponent_move", to_string(reply.opponent_move), out);
      append_field("result", to_string(reply.result), out);
      append_field("round", reply.round, out);
      append_score(reply.score, out);
      append_field("reason", reply.reason, out);
      break;
    case Operation::score:
      append_score(reply.score, out);
      append_field("rounds", reply.score.rounds(), out);
      break;
    case Operation::join:
      append_field("seat", static_cast<std::uint64_t>(reply.seat), out);
      append_field("best_of", reply.best_of, out);
      break;
    case Operation::throw_move:
    case Operation::leave:
    case Operation::watch: break;
  }
  out += '\n';
}

void append_error(Error error, std::uint32_t retry_after_ms, std::string& out) {
  out += "error ";
  out += to_string(error);
  if (error == Error::overloaded) append_field("retry_after_ms", retry_after_ms, out);
  out += ' ';
  out += explain(error);
  out += '\n';
}

void append_event(const Event& event, std::string& out) {
  out += "event ";
  out += to_string(event.type);
  append_field("game_id", event.game_id.view(), out);
  append_field("player_id", event.player_id.view(), out);
  switch (event.type) {
    case EventType::opponent_joined:
    case EventType::opponent_ready:
    case EventType::opponent_left: break;
    case EventType::round_over:
      append_field("player_move", to_string(event.player_move), out);
      append_field("opponent_move", to_string(event.opponent_move), out);
      append_field("result", to_string(event.result), out);
      append_field("round", event.round, out);
      append_score(event.score, out);
      break;
    case EventType::game_over:
      append_field("winner", event.winner.view(), out);
      append_score(event.score, out);
      break;
  }
  out += '\n';
}

std::optional<Reply> parse_reply(std::string_view line, Operation operation) {
  Reply reply{.operation = operation};
  std::string_view rest = line;
  const std::string_view verdict = take_word(rest);
  if (verdict == "error") {
    return parse_error_line(rest, reply) ? std::optional(reply) : std::nullopt;
  }
  if (verdict != "ok" || take_word(rest) != to_string(operation)) return std::nullopt;
  if (!parse_fields(rest, operation, reply) || !rest.empty()) return std::nullopt;
  return reply;
}

std::optional<Event> parse_event(std::string_view line) {
  std::string_view rest = line;
  if (take_word(rest) != "event") return std::nullopt;
  const auto type = parse_event_type(take_word(rest));
  if (!type) return std::nullopt;
  Event event{.type = *type};
  if (!take_field(rest, "game_id", event.game_id)) return std::nullopt;
  if (!take_field(rest, "player_id", event.player_id)) return std::nullopt;
  if (!parse_fields(rest, event) || !rest.empty()) return std::nullopt;
  return event;
}

bool is_event(std::string_view line) {
  return line.starts_with("event ");
}

}  // namespace rps::cli
