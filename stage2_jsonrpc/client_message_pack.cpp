// The client's side of MessagePack: one pass over the bytes for any server's answers.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stage2_jsonrpc/append_in_place.hpp"
#include "stage2_jsonrpc/call.hpp"
#include "stage2_jsonrpc/client_format.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/message_pack_reader.hpp"
#include "stage2_jsonrpc/message_pack_writer.hpp"

namespace rps::jsonrpc {

namespace {

using Kind = MessagePackValue::Kind;

void write_params(MessagePackWriter& writer, const Command& command) {
  const auto player = [&](unsigned pairs) {
    writer.map(pairs);
    writer.text("game_id").text(command.game_id);
    writer.text("player_id").text(command.player_id);
  };
  switch (command.operation) {
    case Operation::play:
      writer.map(command.session_id.empty() ? 1 : 2);
      writer.text("player_move").text(to_string(command.move));
      if (!command.session_id.empty()) writer.text("session_id").text(command.session_id);
      return;
    case Operation::score: writer.map(1).text("session_id").text(command.session_id); return;
    case Operation::join:
      player(3);
      writer.text("best_of").natural(command.best_of);
      return;
    case Operation::throw_move:
      player(3);
      writer.text("move").text(to_string(command.move));
      return;
    case Operation::leave: player(2); return;
    case Operation::watch: writer.map(1).text("game_id").text(command.game_id); return;
  }
}

void append_request(std::uint64_t sequence, const Command& command, std::string& out) {
  constexpr std::size_t words_bytes_max = 128;  // All that is not one of the command's ids.
  const std::size_t ids_bytes =
      command.session_id.size() + command.game_id.size() + command.player_id.size();
  append_in_place<MessagePackWriter>(out, words_bytes_max + ids_bytes,
                                     [&](MessagePackWriter& writer) {
                                       writer.map(4);
                                       writer.text("jsonrpc").text("2.0");
                                       writer.text("id").natural(sequence);
                                       writer.text("method").text(to_string(command.operation));
                                       writer.text("params");
                                       write_params(writer, command);
                                     });
}

bool ignore(MessagePackReader& reader, const MessagePackValue& value) {
  return reader.skip(value, limits::json_depth_max) == MessagePackReader::Skipped::whole;
}

// Calls `member(key, value)` for every member of the map; it must step over what the value holds.
// False when it is no map, when its bytes are malformed or when `member` said so.
template <class Member>
bool read_map(MessagePackReader& reader, const MessagePackValue& map, Member&& member) {
  if (map.kind != Kind::map) return false;
  for (std::uint64_t i = 0; i < map.number; ++i) {
    MessagePackValue key;
    MessagePackValue value;
    if (!reader.next(key) || key.kind != Kind::text) return false;
    if (!reader.next(value) || !member(key.text(), value)) return false;
  }
  return true;
}

std::optional<std::uint64_t> take_natural(const MessagePackValue& value) {
  if (value.kind == Kind::natural) return value.number;
  return value.kind == Kind::real ? natural_from(value.real()) : std::nullopt;
}

// A value that a foreign server may have given another type.
std::uint64_t natural_of(const MessagePackValue& value) {
  return take_natural(value).value_or(0);
}

std::uint32_t small_natural_of(const MessagePackValue& value) {
  const std::uint64_t number = natural_of(value);
  return number <= UINT32_MAX ? static_cast<std::uint32_t>(number) : 0;
}

// All codes that mean something are negative.
std::int64_t code_of(const MessagePackValue& value) {
  if (value.kind == Kind::negative) return static_cast<std::int64_t>(value.number);
  if (value.kind != Kind::real) return 0;
  return -static_cast<std::int64_t>(natural_from(-value.real()).value_or(0));
}

// Whether the member belongs to a score.
bool take_score_member(std::string_view key, const MessagePackValue& value, Score& score) {
  if (key == "wins") {
    score.wins = natural_of(value);
  } else if (key == "draws") {
    score.draws = natural_of(value);
  } else if (key == "losses") {
    score.losses = natural_of(value);
  } else {
    return false;
  }
  return true;
}

bool read_score(MessagePackReader& reader, const MessagePackValue& map, Score& score) {
  return read_map(reader, map, [&](std::string_view key, const MessagePackValue& value) {
    take_score_member(key, value, score);
    return ignore(reader, value);
  });
}

class ReplyReader {
 public:
  ReplyReader(std::string_view payload, std::uint64_t sequence, Reply& reply)
      : reader_(payload), sequence_(sequence), reply_(reply) {}

  bool read() {
    MessagePackValue message;
    if (!reader_.next(message)) return false;
    const bool is_read = read_map(reader_, message, [this](auto key, const auto& value) {
      if (key == "id") return read_id(value);
      if (key == "result") return read_result(value);
      if (key == "error" && value.kind == Kind::map) return read_error(value);
      return ignore(reader_, value);
    });
    if (!is_read || !reader_.at_end()) return false;
    if (reply_.error) return is_mine_ || is_anonymous_;
    return is_mine_ && has_result_ && is_complete();
  }

 private:
  bool read_id(const MessagePackValue& value) {
    is_mine_ = take_natural(value) == sequence_;
    is_anonymous_ = value.kind == Kind::nil;
    return ignore(reader_, value);
  }

  // The members of all operations' results: no name means two things.
  bool read_result(const MessagePackValue& result) {
    has_result_ = true;
    return read_map(reader_, result, [this](auto key, const auto& value) {
      if (key == "score" && value.kind == Kind::map) {
        return read_score(reader_, value, reply_.score);
      }
      if (!take_score_member(key, value, reply_.score)) take_member(key, value);
      return ignore(reader_, value);
    });
  }

  void take_member(std::string_view key, const MessagePackValue& value) {
    if (key == "opponent_move") {
      reply_.opponent_move = parse_move(value.text()).value_or(Move::unspecified);
    } else if (key == "result") {
      outcome_ = parse_result(value.text());
    } else if (key == "reason") {
      reply_.reason = value.text();
    } else if (key == "round") {
      reply_.round = natural_of(value);
    } else if (key == "seat") {
      seat_ = natural_of(value);
    } else if (key == "best_of") {
      reply_.best_of = small_natural_of(value);
    }
  }

  // Whether a result has what its operation cannot do without.
  bool is_complete() {
    switch (reply_.operation) {
      case Operation::play:
        if (!outcome_) return false;
        reply_.result = *outcome_;
        return reply_.opponent_move != Move::unspecified;
      case Operation::join:
        if (seat_ > 2) return false;
        reply_.seat = static_cast<Seat>(seat_);
        return true;
      case Operation::score:
      case Operation::throw_move:
      case Operation::leave: return true;
      case Operation::watch: return false;  // No server of this wire offers it.
    }
    return false;
  }

  bool read_error(const MessagePackValue& error) {
    std::optional<Error> named;
    std::int64_t code = 0;
    const auto read_data = [&](std::string_view key, const MessagePackValue& value) {
      if (key == "error") named = parse_error(value.text());
      if (key == "retry_after_ms") reply_.retry_after_ms = small_natural_of(value);
      return ignore(reader_, value);
    };
    const bool is_read = read_map(reader_, error, [&](auto key, const auto& value) {
      if (key == "data" && value.kind == Kind::map) return read_map(reader_, value, read_data);
      if (key == "code") code = code_of(value);
      return ignore(reader_, value);
    });
    reply_.error = named.value_or(meaning_of(code));
    return is_read;
  }

  MessagePackReader reader_;
  std::uint64_t sequence_;
  Reply& reply_;
  bool is_mine_ = false;
  bool is_anonymous_ = false;
  bool has_result_ = false;
  std::optional<Result> outcome_;
  std::uint64_t seat_ = 0;
};

bool read_reply(std::string_view payload, std::uint64_t sequence, Reply& reply) {
  return ReplyReader(payload, sequence, reply).read();
}

bool take_id(const MessagePackValue& value, Id& id) {
  const auto parsed = Id::parse(value.text());
  if (parsed) id = *parsed;
  return parsed.has_value();
}

// The members of all types of events.
bool read_event_params(MessagePackReader& reader, const MessagePackValue& params, Event& event) {
  const bool is_read =
      read_map(reader, params, [&](std::string_view key, const MessagePackValue& value) {
        if (key == "score" && value.kind == Kind::map) {
          return read_score(reader, value, event.score);
        }
        if (key == "game_id") return take_id(value, event.game_id);
        if (key == "player_id") return take_id(value, event.player_id);
        if (key == "winner" && !value.text().empty()) return take_id(value, event.winner);
        if (key == "player_move") event.player_move = parse_move(value.text()).value_or(Move{});
        if (key == "opponent_move") event.opponent_move = parse_move(value.text()).value_or(Move{});
        if (key == "result") event.result = parse_result(value.text()).value_or(Result::draw);
        if (key == "round") event.round = natural_of(value);
        return ignore(reader, value);
      });
  return is_read && !event.game_id.empty() && !event.player_id.empty();
}

bool read_event(std::string_view payload, Event& event) {
  MessagePackReader reader(payload);
  MessagePackValue message;
  std::optional<EventType> type;
  bool has_params = false;
  const auto member = [&](std::string_view key, const MessagePackValue& value) {
    if (key == "params") {
      has_params = true;
      return read_event_params(reader, value, event);
    }
    if (key == "method") type = parse_event_type(value.text());
    return ignore(reader, value);
  };
  if (!reader.next(message) || !read_map(reader, message, member) || !reader.at_end()) return false;
  if (!type || !has_params) return false;
  event.type = *type;
  return true;
}

}  // namespace

const ClientFormat message_pack_client_format{.codec = Codec::message_pack,
                                              .append_request = append_request,
                                              .read_reply = read_reply,
                                              .read_event = read_event};

}  // namespace rps::jsonrpc
