// The client's side of JSON. Our own server's replies are read in one pass over the text, any other
// server's through a tree.
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/judge.hpp"
#include "stage2_jsonrpc/call.hpp"
#include "stage2_jsonrpc/client_format.hpp"
#include "stage2_jsonrpc/reply.hpp"

namespace rps::jsonrpc {

namespace {

using Json = nlohmann::json;

void append_number(std::uint64_t value, std::string& out) {
  std::array<char, 20> digits;
  const char* const end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void append_params(const Command& command, std::string& out) {
  const auto player = [&] {
    out.append(R"({"game_id":)");
    append_string(command.game_id, out);
    out.append(R"(,"player_id":)");
    append_string(command.player_id, out);
  };
  switch (command.operation) {
    case Operation::play:
      out.append(R"({"player_move":")").append(to_string(command.move)).push_back('"');
      if (!command.session_id.empty()) {
        out.append(R"(,"session_id":)");
        append_string(command.session_id, out);
      }
      break;
    case Operation::score:
      out.append(R"({"session_id":)");
      append_string(command.session_id, out);
      break;
    case Operation::join:
      player();
      out.append(R"(,"best_of":)");
      append_number(command.best_of, out);
      break;
    case Operation::throw_move:
      player();
      out.append(R"(,"move":")").append(to_string(command.move)).push_back('"');
      break;
    case Operation::leave: player(); break;
    case Operation::watch:
      out.append(R"({"game_id":)");
      append_string(command.game_id, out);
      break;
  }
  out.push_back('}');
}

void append_request(std::uint64_t sequence, const Command& command, std::string& out) {
  out.append(R"({"jsonrpc":"2.0","id":)");
  append_number(sequence, out);
  out.append(R"(,"method":")").append(to_string(command.operation)).append(R"(","params":)");
  append_params(command, out);
  out.push_back('}');
}

// The server's reason, as a constant where it is one of ours.
std::string_view known_reason(std::string_view text) {
  for (const Move player : all_moves) {
    for (const Move opponent : all_moves) {
      if (text == reason(player, opponent)) return reason(player, opponent);
    }
  }
  return {};
}

// Matches our own server's replies, byte by byte. Every function leaves false on anything else.
class Match {
 public:
  explicit Match(std::string_view text) : text_(text) {}

  bool reply(std::uint64_t sequence, Reply& reply) {
    std::uint64_t id = 0;
    return literal(R"({"jsonrpc":"2.0","id":)") && number(id) && id == sequence &&
           literal(R"(,"result":)") && result(reply) && text_ == "}";
  }

 private:
  bool result(Reply& reply) {
    switch (reply.operation) {
      case Operation::play: return play(reply);
      case Operation::score: return score(reply.score);
      case Operation::join: return join(reply);
      case Operation::throw_move: return literal(R"({"accepted":true})");
      case Operation::leave: return literal(R"({"done":true})");
      case Operation::watch: return false;  // No server of this wire offers it.
    }
    return false;
  }

  bool play(Reply& reply) {
    std::string_view move;
    std::string_view outcome;
    if (!literal(R"({"opponent_move":)") || !word(move) || !literal(R"(,"result":)") ||
        !word(outcome) || !literal(R"(,"reason":)") || !word(reply.reason) ||
        !literal(R"(,"round":)") || !number(reply.round) || !literal(R"(,"score":)") ||
        !score(reply.score) || !literal("}")) {
      return false;
    }
    const auto opponent_move = parse_move(move);
    const auto result = parse_result(outcome);
    if (!opponent_move || !result) return false;
    reply.opponent_move = *opponent_move;
    reply.result = *result;
    return true;
  }

  bool score(Score& score) {
    std::uint64_t rounds = 0;
    return literal(R"({"wins":)") && number(score.wins) && literal(R"(,"draws":)") &&
           number(score.draws) && literal(R"(,"losses":)") && number(score.losses) &&
           literal(R"(,"rounds":)") && number(rounds) && literal("}");
  }

  bool join(Reply& reply) {
    std::uint64_t seat = 0;
    std::uint64_t best_of = 0;
    if (!literal(R"({"seat":)") || !number(seat) || seat > 2 || !literal(R"(,"best_of":)") ||
        !number(best_of) || best_of > UINT32_MAX || !literal("}")) {
      return false;
    }
    reply.seat = static_cast<Seat>(seat);
    reply.best_of = static_cast<std::uint32_t>(best_of);
    return true;
  }

  bool literal(std::string_view expected) {
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(expected.size());
    return true;
  }

  bool number(std::uint64_t& value) {
    const auto [stop, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    text_.remove_prefix(static_cast<std::size_t>(stop - text_.data()));
    return error == std::errc{};
  }

  bool word(std::string_view& value) {
    if (!text_.starts_with('"')) return false;
    const std::size_t end = text_.find('"', 1);
    if (end == std::string_view::npos) return false;
    value = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return !value.contains('\\');
  }

  std::string_view text_;
};

// Members of a tree that a foreign server may have left out or given another type.
std::string_view text_of(const Json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_string()) return {};
  return member->get_ref<const std::string&>();
}

std::uint64_t number_of(const Json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end()) return 0;
  if (member->is_number_float()) return natural_from(member->get<double>()).value_or(0);
  return member->is_number_unsigned() ? member->get<std::uint64_t>() : 0;
}

Score score_of(const Json& object) {
  return {.wins = number_of(object, "wins"),
          .draws = number_of(object, "draws"),
          .losses = number_of(object, "losses")};
}

// All codes that mean something are negative.
std::int64_t code_of(const Json& error) {
  const auto code = error.find("code");
  if (code == error.end()) return 0;
  if (code->is_number_integer()) return code->get<std::int64_t>();
  if (!code->is_number_float()) return 0;
  return -static_cast<std::int64_t>(natural_from(-code->get<double>()).value_or(0));
}

Error error_of(const Json& error) {
  const auto data = error.find("data");
  if (data != error.end() && data->is_object()) {
    if (const auto named = parse_error(text_of(*data, "error"))) return *named;
  }
  return meaning_of(code_of(error));
}

void read_error(const Json& error, Reply& reply) {
  reply.error = error_of(error);
  const auto data = error.find("data");
  if (data == error.end() || !data->is_object()) return;
  const std::uint64_t retry_after_ms = number_of(*data, "retry_after_ms");
  if (retry_after_ms <= UINT32_MAX)
    reply.retry_after_ms = static_cast<std::uint32_t>(retry_after_ms);
}

bool read_play(const Json& result, Reply& reply) {
  const auto move = parse_move(text_of(result, "opponent_move"));
  const auto outcome = parse_result(text_of(result, "result"));
  if (!move || !outcome) return false;
  reply.opponent_move = *move;
  reply.result = *outcome;
  reply.reason = known_reason(text_of(result, "reason"));
  reply.round = number_of(result, "round");
  const auto score = result.find("score");
  if (score != result.end() && score->is_object()) reply.score = score_of(*score);
  return true;
}

bool read_result(const Json& result, Reply& reply) {
  if (!result.is_object()) return false;
  switch (reply.operation) {
    case Operation::play: return read_play(result, reply);
    case Operation::score: reply.score = score_of(result); return true;
    case Operation::join: {
      const std::uint64_t seat = number_of(result, "seat");
      const std::uint64_t best_of = number_of(result, "best_of");
      if (seat > 2 || best_of > UINT32_MAX) return false;
      reply.seat = static_cast<Seat>(seat);
      reply.best_of = static_cast<std::uint32_t>(best_of);
      return true;
    }
    case Operation::throw_move:
    case Operation::leave: return true;
    case Operation::watch: return false;
  }
  return false;
}

bool read_any_reply(std::string_view payload, std::uint64_t sequence, Reply& reply) {
  const Json message = Json::parse(payload, nullptr, false);
  if (!message.is_object()) return false;
  const auto id = message.find("id");
  if (id == message.end()) return false;
  const auto error = message.find("error");
  const bool failed = error != message.end() && error->is_object();
  if (*id != sequence && !(failed && id->is_null())) return false;
  if (failed) {
    read_error(*error, reply);
    return true;
  }
  const auto result = message.find("result");
  return result != message.end() && read_result(*result, reply);
}

bool read_reply(std::string_view payload, std::uint64_t sequence, Reply& reply) {
  const Operation operation = reply.operation;
  if (Match(payload).reply(sequence, reply)) return true;
  reply = Reply{.operation = operation};
  return read_any_reply(payload, sequence, reply);
}

bool read_event(std::string_view payload, Event& event) {
  const Json message = Json::parse(payload, nullptr, false);
  if (!message.is_object()) return false;
  const auto type = parse_event_type(text_of(message, "method"));
  const auto params = message.find("params");
  if (!type || params == message.end() || !params->is_object()) return false;
  const auto game = Id::parse(text_of(*params, "game_id"));
  const auto player = Id::parse(text_of(*params, "player_id"));
  if (!game || !player) return false;
  event.type = *type;
  event.game_id = *game;
  event.player_id = *player;
  event.player_move = parse_move(text_of(*params, "player_move")).value_or(Move::unspecified);
  event.opponent_move = parse_move(text_of(*params, "opponent_move")).value_or(Move::unspecified);
  event.result = parse_result(text_of(*params, "result")).value_or(Result::draw);
  event.round = number_of(*params, "round");
  const auto score = params->find("score");
  if (score != params->end() && score->is_object()) event.score = score_of(*score);
  event.winner = Id::parse(text_of(*params, "winner")).value_or(Id());
  return true;
}

}  // namespace

const ClientFormat json_client_format{.codec = Codec::json,
                                      .append_request = append_request,
                                      .read_reply = read_reply,
                                      .read_event = read_event};

}  // namespace rps::jsonrpc
