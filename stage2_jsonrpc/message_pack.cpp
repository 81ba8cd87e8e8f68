#include "stage2_jsonrpc/message_pack.hpp"

#include <array>
#include <cstdint>

#include "core/utf8.hpp"
#include "stage2_jsonrpc/append_in_place.hpp"
#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/message_pack_reader.hpp"
#include "stage2_jsonrpc/message_pack_writer.hpp"
#include "stage2_jsonrpc/reply.hpp"

namespace rps::jsonrpc {

namespace {

using Kind = MessagePackValue::Kind;

constexpr std::string_view null_id = "\xc0";

namespace why {

using enum Code;

constexpr Failure not_packed = malformed(parse_error, "the payload is not MessagePack");
constexpr Failure given_twice = malformed(parse_error, "a member is given twice");
constexpr Failure too_deep = malformed(invalid_request, "the MessagePack is nested too deeply");
constexpr Failure no_calls = malformed(invalid_request, "a batch has at least one call");
constexpr Failure no_map = malformed(invalid_request, "a request is a map");
constexpr Failure no_id = malformed(invalid_request, "an id is text, a number or nil");
constexpr Failure long_id = malformed(invalid_request, "the id is too long");
constexpr Failure no_version = malformed(invalid_request, "the member jsonrpc is not 2.0");
constexpr Failure no_method = malformed(invalid_request, "the method is not text");
constexpr Failure no_params =
    malformed(invalid_request, "the params are neither a map nor an array");
constexpr Failure unknown_param = malformed(invalid_params, "a parameter has an unknown name");
constexpr Failure two_moves = malformed(invalid_params, "the move is given twice");
constexpr Failure too_many_params = malformed(invalid_params, "there are too many parameters");
constexpr Failure no_text = malformed(invalid_params, "a parameter is not text");
constexpr Failure no_best_of = malformed(invalid_params, "best_of is not a small positive integer");

}  // namespace why

// Null when nothing is wrong, else one of the constants above or in call.hpp.
using Refusal = const Failure*;

// Skips the values inside `value`.
Refusal skip(MessagePackReader& reader, const MessagePackValue& value, std::size_t depth_max) {
  switch (reader.skip(value, depth_max)) {
    case MessagePackReader::Skipped::whole: return nullptr;
    case MessagePackReader::Skipped::malformed: return &why::not_packed;
    case MessagePackReader::Skipped::too_deep: return &why::too_deep;
  }
  return &why::not_packed;
}

// Reads one request: finds its members in one pass over the bytes, then checks them.
class CallReader {
 public:
  CallReader(MessagePackReader& reader, Call& call) : reader_(reader), call_(call) {}

  // Returns what is wrong with the whole payload. What is wrong with this call alone becomes the
  // failure of the call.
  Refusal read(std::size_t depth_max) {
    call_.id = null_id;
    MessagePackValue request;
    if (!reader_.next(request)) return &why::not_packed;
    if (request.kind != Kind::map) {
      call_.failure = why::no_map;
      return skip(reader_, request, depth_max);
    }
    for (std::uint64_t i = 0; i < request.number; ++i) {
      if (const Refusal refusal = read_member(depth_max - 1)) return refusal;
    }
    Refusal refusal = read_envelope();
    if (refusal == nullptr) {
      call_.wants_reply = (seen_ & id) != 0;
      refusal = read_call();
    }
    if (refusal == nullptr) return nullptr;
    call_.failure = *refusal;
    return refusal->code == Code::parse_error ? refusal : nullptr;
  }

 private:
  enum Member : unsigned { none = 0, version = 1, id = 2, method = 4, params = 8, trace = 16 };

  static Member member_named(std::string_view key) {
    if (key == "jsonrpc") return version;
    if (key == "id") return id;
    if (key == "method") return method;
    if (key == "params") return params;
    if (key == "traceparent") return trace;
    return none;
  }

  Refusal read_member(std::size_t depth_max) {
    MessagePackValue key;
    if (!reader_.next(key) || key.kind != Kind::text) return &why::not_packed;
    const Member member = member_named(key.text());
    if (member == none && !is_utf8(key.text())) return &why::not_packed;
    if ((seen_ & member) != 0) return &why::given_twice;
    seen_ |= member;

    const char* const start = reader_.position();
    MessagePackValue value;
    if (!reader_.next(value)) return &why::not_packed;
    if (member == params) params_start_ = reader_.position();
    if (const Refusal refusal = skip(reader_, value, depth_max)) return refusal;
    switch (member) {
      case version: version_ = value; break;
      case id:
        id_ = value;
        id_spelling_ = {start, reader_.position()};
        break;
      case method: method_ = value; break;
      case params: params_ = value; break;
      case trace: call_.trace = parse_traceparent(value.text()); break;
      case none: break;
    }
    return nullptr;
  }

  Refusal read_envelope() {
    if ((seen_ & id) != 0) {
      if (id_.is_container() || id_.kind == Kind::boolean) return &why::no_id;
      if (id_spelling_.size() > limits::id_text_bytes_max) return &why::long_id;
      call_.id = id_spelling_;
    }
    if (version_.text() != "2.0") return &why::no_version;
    if (method_.kind != Kind::text) return &why::no_method;
    if ((seen_ & params) != 0 && !params_.is_container()) return &why::no_params;
    return nullptr;
  }

  Refusal read_call() {
    const auto operation = parse_player_operation(method_.text());
    if (!operation) return &unknown_method_failure;
    call_.command.operation = *operation;
    if ((seen_ & params) == 0) return nullptr;
    // A second walk, over bytes that are known to be well-formed.
    MessagePackReader reader({params_start_, reader_.position()});
    return params_.kind == Kind::map ? read_named(reader) : read_positional(reader);
  }

  Refusal read_named(MessagePackReader& reader) {
    std::array<std::string_view, param_count> names;  // By which each parameter was given.
    for (std::uint64_t i = 0; i < params_.number; ++i) {
      MessagePackValue name;
      if (!reader.next(name)) return &why::not_packed;
      const auto param = parse_param(call_.command.operation, name.text());
      if (!param) return &why::unknown_param;
      std::string_view& earlier = names[static_cast<std::size_t>(*param)];
      if (earlier == name.text()) return &why::given_twice;
      if (!earlier.empty()) return &why::two_moves;
      earlier = name.text();
      if (const Refusal refusal = read_param(*param, reader)) return refusal;
    }
    return nullptr;
  }

  Refusal read_positional(MessagePackReader& reader) {
    const auto order = params_of(call_.command.operation);
    if (params_.number > order.size()) return &why::too_many_params;
    for (std::uint64_t i = 0; i < params_.number; ++i) {
      if (const Refusal refusal = read_param(order[i], reader)) return refusal;
    }
    return nullptr;
  }

  Refusal read_param(Param param, MessagePackReader& reader) {
    MessagePackValue value;
    if (!reader.next(value)) return &why::not_packed;
    if (param != Param::best_of) {
      if (value.kind != Kind::text) return &why::no_text;
      assign(call_.command, param, value.text());
      return nullptr;
    }
    const auto best_of = read_best_of(value);
    if (!best_of) return &why::no_best_of;
    call_.command.best_of = *best_of;
    return nullptr;
  }

  static std::optional<std::uint32_t> read_best_of(const MessagePackValue& value) {
    if (value.kind == Kind::real) return best_of_from(value.real());
    if (value.kind != Kind::natural || value.number > UINT32_MAX) return std::nullopt;
    return static_cast<std::uint32_t>(value.number);
  }

  MessagePackReader& reader_;
  Call& call_;
  unsigned seen_ = none;
  MessagePackValue version_;
  MessagePackValue id_;
  MessagePackValue method_;
  MessagePackValue params_;
  std::string_view id_spelling_;
  const char* params_start_ = nullptr;  // The first of what params_ holds.
};

// If the payload is an array, moves the reader to its first element and sets `count`. Refuses an
// array that has no element or too many.
Refusal begin_batch(MessagePackReader& reader, std::size_t batch_calls_max, Calls& calls,
                    std::uint64_t& count) {
  MessagePackReader ahead = reader;
  MessagePackValue value;
  if (!ahead.next(value)) return &why::not_packed;
  if (value.kind != Kind::array) return nullptr;
  if (value.number == 0) return &why::no_calls;
  if (value.number > batch_calls_max) return &long_batch_failure;
  reader = ahead;
  calls.is_batch = true;
  count = value.number;
  return nullptr;
}

Refusal read_payload(std::string_view payload, std::size_t batch_calls_max, Calls& calls) {
  MessagePackReader reader(payload);
  std::uint64_t count = 1;
  if (const Refusal refusal = begin_batch(reader, batch_calls_max, calls, count)) return refusal;
  const std::size_t depth_max = limits::json_depth_max - (calls.is_batch ? 1 : 0);
  for (std::uint64_t i = 0; i < count; ++i) {
    CallReader call_reader(reader, calls.add());
    if (const Refusal refusal = call_reader.read(depth_max)) return refusal;
  }
  return reader.at_end() ? nullptr : &why::not_packed;
}

}  // namespace

void decode_message_pack(std::string_view payload, std::size_t batch_calls_max, Calls& calls) {
  calls.clear();
  const Refusal refusal = read_payload(payload, batch_calls_max, calls);
  if (refusal == nullptr) return;
  calls.clear();
  Call& call = calls.add();
  call.id = null_id;
  call.failure = *refusal;
}

namespace {

void write_score(MessagePackWriter& writer, const Score& score) {
  writer.map(4);
  writer.text("wins").natural(score.wins);
  writer.text("draws").natural(score.draws);
  writer.text("losses").natural(score.losses);
  writer.text("rounds").natural(score.rounds());
}

// The members that every reply begins with, up to the name of its last one.
void begin_reply(MessagePackWriter& writer, std::string_view id) {
  writer.map(3).text("jsonrpc").text("2.0").text("id").raw(id);
}

void write_result(MessagePackWriter& writer, const Reply& reply) {
  switch (reply.operation) {
    case Operation::play:
      writer.map(5);
      writer.text("opponent_move").text(to_string(reply.opponent_move));
      writer.text("result").text(to_string(reply.result));
      writer.text("reason").text(reply.reason);
      writer.text("round").natural(reply.round);
      writer.text("score");
      write_score(writer, reply.score);
      return;
    case Operation::score: write_score(writer, reply.score); return;
    case Operation::join:
      writer.map(2);
      writer.text("seat").natural(static_cast<unsigned>(reply.seat));
      writer.text("best_of").natural(reply.best_of);
      return;
    case Operation::throw_move: writer.map(1).text("accepted").boolean(true); return;
    case Operation::leave: writer.map(1).text("done").boolean(true); return;
    case Operation::watch: return;  // Not offered.
  }
}

void append_error(std::string_view id, const Failure& failure, std::uint32_t retry_after_ms,
                  std::string& out) {
  append_in_place<MessagePackWriter>(out, limits::reply_bytes_max, [&](MessagePackWriter& writer) {
    const bool is_overloaded = failure.error == Error::overloaded;
    begin_reply(writer, id);
    writer.text("error").map(3);
    writer.text("code").negative(static_cast<int>(failure.code));
    writer.text("message").text(message_of(failure.code, failure.error));
    writer.text("data").map(is_overloaded ? 3 : 2);
    writer.text("error").text(to_string(failure.error));
    writer.text("detail").text(failure.detail);
    if (is_overloaded) writer.text("retry_after_ms").natural(retry_after_ms);
  });
}

void encode_reply(std::string_view id, const Reply& reply, std::string& out) {
  if (reply.error) return append_error(id, failure_of(*reply.error), reply.retry_after_ms, out);
  append_in_place<MessagePackWriter>(out, limits::reply_bytes_max, [&](MessagePackWriter& writer) {
    begin_reply(writer, id);
    writer.text("result");
    write_result(writer, reply);
  });
}

void write_event(MessagePackWriter& writer, const Event& event) {
  writer.map(3).text("jsonrpc").text("2.0");
  writer.text("method").text(to_string(event.type)).text("params");
  const auto begin_params = [&](unsigned members) {
    writer.map(members);
    writer.text("game_id").text(event.game_id.view());
    writer.text("player_id").text(event.player_id.view());
  };
  switch (event.type) {
    case EventType::opponent_joined:
    case EventType::opponent_ready:
    case EventType::opponent_left: begin_params(2); return;
    case EventType::round_over:
      begin_params(7);
      writer.text("player_move").text(to_string(event.player_move));
      writer.text("opponent_move").text(to_string(event.opponent_move));
      writer.text("result").text(to_string(event.result));
      writer.text("round").natural(event.round);
      break;
    case EventType::game_over:
      begin_params(4);
      writer.text("winner").text(event.winner.view());
      break;
  }
  writer.text("score");
  write_score(writer, event.score);
}

}  // namespace

const Format message_pack_format{
    .codec = Codec::message_pack,
    .null_id = null_id,
    .decode = decode_message_pack,
    .encode_reply = encode_reply,
    .encode_failure = [](std::string_view id, const Failure& failure,
                         std::string& out) { append_error(id, failure, 0, out); },
    .encode_event =
        [](const Event& event, std::string& out) {
          append_in_place<MessagePackWriter>(
              out, limits::reply_bytes_max,
              [&](MessagePackWriter& writer) { write_event(writer, event); });
        },
    .begin_batch =
        [](std::size_t count, std::string& out) {
          constexpr std::size_t header_bytes_max = 5;
          append_in_place<MessagePackWriter>(
              out, header_bytes_max, [&](MessagePackWriter& writer) { writer.array(count); });
        },
    .separate = [](std::string&) {},
    .end_batch = [](std::string&) {},
};

}  // namespace rps::jsonrpc
