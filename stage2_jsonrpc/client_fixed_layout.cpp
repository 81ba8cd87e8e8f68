// The client's side of the fixed layout.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stage2_jsonrpc/big_endian.hpp"
#include "stage2_jsonrpc/client_format.hpp"
#include "stage2_jsonrpc/fixed_layout.hpp"

namespace rps::jsonrpc {

namespace {

using namespace fixed_layout;

std::uint8_t byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

// Which fields of a request an operation fills.
struct Fields {
  std::string_view first_id;
  std::string_view second_id;
  Move move = Move::unspecified;
  std::uint32_t best_of = 0;
};

Fields fields_of(const Command& command) {
  switch (command.operation) {
    case Operation::play: return {.first_id = command.session_id, .move = command.move};
    case Operation::score: return {.first_id = command.session_id};
    case Operation::join:
      return {
          .first_id = command.game_id, .second_id = command.player_id, .best_of = command.best_of};
    case Operation::throw_move:
      return {.first_id = command.game_id, .second_id = command.player_id, .move = command.move};
    case Operation::leave: return {.first_id = command.game_id, .second_id = command.player_id};
    case Operation::watch: return {.first_id = command.game_id};
  }
  return {};
}

// An id that is too long for its length field is cut to 255 bytes; the game refuses these as well.
void append_request(std::uint64_t sequence, const Command& command, std::string& out) {
  Fields fields = fields_of(command);
  fields.first_id = fields.first_id.substr(0, length_max);
  fields.second_id = fields.second_id.substr(0, length_max);
  std::array<char, request_bytes> record{};
  record[request_field::operation] = static_cast<char>(number_of(command.operation));
  record[request_field::flags] = static_cast<char>(wants_reply_flag);
  record[request_field::move] = static_cast<char>(number_of(fields.move));
  record[request_field::first_length] = static_cast<char>(fields.first_id.size());
  record[request_field::second_length] = static_cast<char>(fields.second_id.size());
  store_big_endian(fields.best_of, record.data() + request_field::best_of);
  store_big_endian(sequence, record.data() + request_field::id);
  out.append(record.data(), record.size());
  out.append(fields.first_id).append(fields.second_id);
}

bool read_play(std::string_view record, Reply& reply) {
  reply.opponent_move = move_of(byte_at(record, reply_field::move));
  const auto result = result_of(byte_at(record, reply_field::result));
  if (reply.opponent_move == Move::unspecified || !result) return false;
  reply.result = *result;
  reply.reason = reason_of(byte_at(record, reply_field::reason));
  reply.round = load_big_endian<std::uint64_t>(record.data() + reply_field::round);
  reply.score = load_score(record.data() + reply_field::score);
  return true;
}

bool read_join(std::string_view record, Reply& reply) {
  const std::uint8_t seat = byte_at(record, reply_field::seat);
  if (seat > number_of(Seat::second)) return false;
  reply.seat = static_cast<Seat>(seat);
  reply.best_of = load_big_endian<std::uint32_t>(record.data() + reply_field::number);
  return true;
}

bool read_result(std::string_view record, Reply& reply) {
  switch (reply.operation) {
    case Operation::play: return read_play(record, reply);
    case Operation::score:
      reply.score = load_score(record.data() + reply_field::score);
      return true;
    case Operation::join: return read_join(record, reply);
    case Operation::throw_move:
    case Operation::leave: return true;
    case Operation::watch: return false;  // No server of this wire offers it.
  }
  return false;
}

// A status without a name is an error all the same.
void read_error(std::string_view record, Reply& reply) {
  reply.error = error_of(byte_at(record, reply_field::status)).value_or(Error::internal);
  reply.retry_after_ms = load_big_endian<std::uint32_t>(record.data() + reply_field::number);
}

bool read_reply(std::string_view record, std::uint64_t sequence, Reply& reply) {
  if (record.size() != reply_bytes) return false;
  const auto id = load_big_endian<std::uint64_t>(record.data() + reply_field::id);
  const std::uint8_t operation = byte_at(record, reply_field::operation);
  const bool is_whole = id == sequence && operation == number_of(reply.operation);
  if (byte_at(record, reply_field::status) == done) return is_whole && read_result(record, reply);
  const bool is_anonymous = operation == 0 && (id == 0 || id == sequence);
  if (!is_whole && !is_anonymous) return false;
  read_error(record, reply);
  return true;
}

bool read_ids(std::string_view record, Event& event) {
  const std::size_t game_length = byte_at(record, event_field::game_length);
  const std::size_t player_length = byte_at(record, event_field::player_length);
  const std::size_t winner_length = byte_at(record, event_field::winner_length);
  if (record.size() != event_bytes + game_length + player_length + winner_length) return false;
  const auto game = Id::parse(record.substr(event_bytes, game_length));
  const auto player = Id::parse(record.substr(event_bytes + game_length, player_length));
  if (!game || !player) return false;
  event.game_id = *game;
  event.player_id = *player;
  if (winner_length == 0) return true;
  const auto winner = Id::parse(record.substr(event_bytes + game_length + player_length));
  if (winner) event.winner = *winner;
  return winner.has_value();
}

bool read_event(std::string_view record, Event& event) {
  if (record.size() < event_bytes) return false;
  const auto type = event_type_of(byte_at(record, event_field::type));
  if (!type || !read_ids(record, event)) return false;
  event.type = *type;
  event.player_move = move_of(byte_at(record, event_field::player_move));
  event.opponent_move = move_of(byte_at(record, event_field::opponent_move));
  event.result = result_of(byte_at(record, event_field::result)).value_or(Result::draw);
  event.round = load_big_endian<std::uint64_t>(record.data() + event_field::round);
  event.score = load_score(record.data() + event_field::score);
  return true;
}

}  // namespace

const ClientFormat fixed_layout_client_format{.codec = Codec::fixed_layout,
                                              .append_request = append_request,
                                              .read_reply = read_reply,
                                              .read_event = read_event};

}  // namespace rps::jsonrpc
