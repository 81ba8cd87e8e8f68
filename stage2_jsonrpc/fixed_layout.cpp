#include "stage2_jsonrpc/fixed_layout.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <concepts>
#include <cstring>
#include <string>

#include "core/judge.hpp"
#include "stage2_jsonrpc/big_endian.hpp"
#include "stage2_jsonrpc/format.hpp"

namespace rps::jsonrpc {

namespace fixed_layout {

namespace {

// In the order of their numbers, from 1.
constexpr std::array reasons{
    reason(Move::rock, Move::rock),         reason(Move::paper, Move::paper),
    reason(Move::scissors, Move::scissors), reason(Move::paper, Move::rock),
    reason(Move::rock, Move::scissors),     reason(Move::scissors, Move::paper)};

}  // namespace

std::uint8_t number_of_reason(std::string_view reason) {
  const auto found = std::ranges::find(reasons, reason);
  return found == reasons.end() ? 0 : static_cast<std::uint8_t>(found - reasons.begin() + 1);
}

std::string_view reason_of(std::uint8_t number) {
  return number >= 1 && number <= reasons.size() ? reasons[number - 1] : std::string_view();
}

void store_score(const Score& score, char* at) {
  store_big_endian(score.wins, at);
  store_big_endian(score.draws, at + 8);
  store_big_endian(score.losses, at + 16);
}

Score load_score(const char* at) {
  return {.wins = load_big_endian<std::uint64_t>(at),
          .draws = load_big_endian<std::uint64_t>(at + 8),
          .losses = load_big_endian<std::uint64_t>(at + 16)};
}

}  // namespace fixed_layout

namespace {

using namespace fixed_layout;

constexpr std::string_view null_id{"\0\0\0\0\0\0\0\0", sizeof(std::uint64_t)};

constexpr Failure no_records =
    malformed(Code::parse_error, "the payload is not a row of whole records");
constexpr Failure foreign_field =
    malformed(Code::invalid_params, "a field that the operation does not have is not 0");

std::uint8_t byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

// Puts the fields of a record into the command. False when one is set that does not belong there.
// The first id is there in every operation.
bool read_fields(std::string_view record, std::string_view first, std::string_view second,
                 Command& command) {
  const std::uint8_t move = byte_at(record, request_field::move);
  const auto best_of = load_big_endian<std::uint32_t>(record.data() + request_field::best_of);
  switch (command.operation) {
    case Operation::play:
      command.move = move_of(move);
      command.session_id = first;
      return second.empty() && best_of == 0;
    case Operation::score:
      command.session_id = first;
      return second.empty() && (best_of | move) == 0;
    case Operation::join:
      command.game_id = first;
      command.player_id = second;
      command.best_of = best_of;
      return move == 0;
    case Operation::throw_move:
      command.move = move_of(move);
      command.game_id = first;
      command.player_id = second;
      return best_of == 0;
    case Operation::leave:
      command.game_id = first;
      command.player_id = second;
      return (best_of | move) == 0;
    case Operation::watch: break;  // Not offered.
  }
  return false;
}

std::optional<TraceContext> read_context(const char* at) {
  TraceContext context;
  std::copy_n(at, context.trace_id.size(), context.trace_id.begin());
  at += context.trace_id.size();
  std::copy_n(at, context.parent_id.size(), context.parent_id.begin());
  at += context.parent_id.size();
  context.sampled = (*at & 1) != 0;
  if (context.trace_id == TraceContext{}.trace_id) return std::nullopt;
  if (context.parent_id == TraceContext{}.parent_id) return std::nullopt;
  return context;
}

// Reads the record at the front. Returns its size, or 0 when there is none that is whole.
std::size_t read_record(std::string_view bytes, Call& call) {
  if (bytes.size() < request_bytes) return 0;
  const std::uint8_t flags = byte_at(bytes, request_field::flags);
  if (flags > (wants_reply_flag | has_context_flag)) return 0;
  const bool has_context = (flags & has_context_flag) != 0;
  const std::size_t first_length = byte_at(bytes, request_field::first_length);
  const std::size_t second_length = byte_at(bytes, request_field::second_length);
  const std::size_t ids = request_bytes + (has_context ? context_bytes : 0);
  const std::size_t size = ids + first_length + second_length;
  if (bytes.size() < size) return 0;

  call.id = bytes.substr(request_field::id, null_id.size());
  call.wants_reply = (flags & wants_reply_flag) != 0;
  if (has_context) call.trace = read_context(bytes.data() + request_bytes);
  const auto operation = operation_of(byte_at(bytes, request_field::operation));
  if (!operation) {
    call.failure = unknown_method_failure;
    return size;
  }
  call.command.operation = *operation;
  if (!read_fields(bytes, bytes.substr(ids, first_length),
                   bytes.substr(ids + first_length, second_length), call.command)) {
    call.failure = foreign_field;
  }
  return size;
}

void refuse(const Failure& failure, Calls& calls) {
  calls.list.clear();
  Call& call = calls.add();
  call.id = null_id;
  call.failure = failure;
}

void decode(std::string_view payload, std::size_t batch_calls_max, Calls& calls) {
  calls.clear();
  do {
    if (calls.list.size() == batch_calls_max) return refuse(long_batch_failure, calls);
    const std::size_t size = read_record(payload, calls.add());
    if (size == 0) return refuse(no_records, calls);
    payload.remove_prefix(size);
  } while (!payload.empty());
  calls.is_batch = calls.list.size() > 1;
}

// A reply whose fields are all 0 but the id. REQUIRES: `id` is as decode() finds it.
class ReplyRecord {
 public:
  explicit ReplyRecord(std::string_view id) {
    assert(id.size() == null_id.size());
    std::memcpy(bytes_.data() + reply_field::id, id.data(), null_id.size());
  }

  void put(std::size_t field, std::uint8_t value) { bytes_[field] = static_cast<char>(value); }

  template <std::unsigned_integral Integer>
  void put(std::size_t field, Integer value) {
    store_big_endian(value, bytes_.data() + field);
  }

  void put(std::size_t field, const Score& score) { store_score(score, bytes_.data() + field); }

  void append_to(std::string& out) const { out.append(bytes_.data(), bytes_.size()); }

 private:
  std::array<char, reply_bytes> bytes_{};
};

void put_result(const Reply& reply, ReplyRecord& record) {
  switch (reply.operation) {
    case Operation::play:
      record.put(reply_field::move, number_of(reply.opponent_move));
      record.put(reply_field::result, number_of(reply.result));
      record.put(reply_field::reason, number_of_reason(reply.reason));
      record.put(reply_field::round, reply.round);
      record.put(reply_field::score, reply.score);
      return;
    case Operation::score: record.put(reply_field::score, reply.score); return;
    case Operation::join:
      record.put(reply_field::seat, number_of(reply.seat));
      record.put(reply_field::number, reply.best_of);
      return;
    case Operation::throw_move:
    case Operation::leave:
    case Operation::watch: return;
  }
}

void encode_reply(std::string_view id, const Reply& reply, std::string& out) {
  ReplyRecord record(id);
  record.put(reply_field::operation, number_of(reply.operation));
  if (!reply.error) {
    put_result(reply, record);
  } else {
    record.put(reply_field::status, number_of(*reply.error));
    if (*reply.error == Error::overloaded) record.put(reply_field::number, reply.retry_after_ms);
  }
  record.append_to(out);
}

void encode_failure(std::string_view id, const Failure& failure, std::string& out) {
  ReplyRecord record(id);
  record.put(reply_field::status, number_of(failure.error));
  record.append_to(out);
}

void encode_event(const Event& event, std::string& out) {
  std::array<char, event_bytes> record{};
  const auto put = [&](std::size_t field, std::size_t value) {
    record[field] = static_cast<char>(value);
  };
  put(event_field::type, number_of(event.type));
  put(event_field::game_length, event.game_id.view().size());
  put(event_field::player_length, event.player_id.view().size());
  put(event_field::winner_length, event.winner.view().size());
  if (event.type == EventType::round_over) {
    put(event_field::player_move, number_of(event.player_move));
    put(event_field::opponent_move, number_of(event.opponent_move));
    put(event_field::result, number_of(event.result));
    store_big_endian(event.round, record.data() + event_field::round);
  }
  if (event.type == EventType::round_over || event.type == EventType::game_over) {
    store_score(event.score, record.data() + event_field::score);
  }
  out.append(record.data(), record.size());
  out.append(event.game_id.view()).append(event.player_id.view()).append(event.winner.view());
}

}  // namespace

const Format fixed_layout_format{
    .codec = Codec::fixed_layout,
    .null_id = null_id,
    .decode = decode,
    .encode_reply = encode_reply,
    .encode_failure = encode_failure,
    .encode_event = encode_event,
    .begin_batch = [](std::size_t, std::string&) {},
    .separate = [](std::string&) {},
    .end_batch = [](std::string&) {},
};

}  // namespace rps::jsonrpc
