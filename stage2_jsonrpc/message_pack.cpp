#include "stage2_jsonrpc/message_pack.hpp"

#include <array>
#include <cstdint>

#include "core/utf8.hpp"
#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/message_pack_cursor.hpp"
#include "stage2_jsonrpc/message_pack_pen.hpp"
#include "stage2_jsonrpc/reply.hpp"

namespace rps::jsonrpc {

namespace {

using Kind = PackedValue::Kind;

constexpr std::string_view null_id = "\xc0";

constexpr Failure refused_as(Code code, std::string_view detail) {
  return {.code = code, .error = Error::malformed_request, .detail = detail};
}

namespace why {

using enum Code;

constexpr Failure malformed = refused_as(parse_error, "the payload is not MessagePack");
constexpr Failure given_twice = refused_as(parse_error, "a member is given twice");
constexpr Failure too_deep = refused_as(invalid_request, "the MessagePack is nested too deeply");
constexpr Failure no_calls = refused_as(invalid_request, "a batch has at least one call");
constexpr Failure too_many_calls = refused_as(invalid_request, "the batch has too many calls");
constexpr Failure no_map = refused_as(invalid_request, "a request is a map");
constexpr Failure no_id = refused_as(invalid_request, "an id is text, a number or nil");
constexpr Failure long_id = refused_as(invalid_request, "the id is too long");
constexpr Failure no_version = refused_as(invalid_request, "the member jsonrpc is not 2.0");
constexpr Failure no_method = refused_as(invalid_request, "the method is not text");
constexpr Failure no_params =
    refused_as(invalid_request, "the params are neither a map nor an array");
constexpr Failure unknown_method{.code = method_not_found,
                                 .error = Error::unknown_operation,
                                 .detail = explain(Error::unknown_operation)};
constexpr Failure unknown_param = refused_as(invalid_params, "a parameter has an unknown name");
constexpr Failure two_moves = refused_as(invalid_params, "the move is given twice");
constexpr Failure too_many_params = refused_as(invalid_params, "there are too many parameters");
constexpr Failure no_text = refused_as(invalid_params, "a parameter is not text");
constexpr Failure no_best_of =
    refused_as(invalid_params, "best_of is not a small positive integer");

}  // namespace why

// Null when all is well, else one of the constants above.
using Refusal = const Failure*;

// Steps over what `value` holds.
Refusal skip(PackedCursor& cursor, const PackedValue& value, std::size_t depth_max) {
  switch (cursor.skip(value, depth_max)) {
    case PackedCursor::Skipped::whole: return nullptr;
    case PackedCursor::Skipped::malformed: return &why::malformed;
    case PackedCursor::Skipped::too_deep: return &why::too_deep;
  }
  return &why::malformed;
}

// Reads one request: walks over its members once, then looks at what was found.
class CallReader {
 public:
  CallReader(PackedCursor& cursor, Call& call) : cursor_(cursor), call_(call) {}

  // Returns what is wrong with the bytes themselves, and so with the whole payload. What is wrong
  // with this call alone is put into the call.
  Refusal read(std::size_t depth_max) {
    call_.id = null_id;
    PackedValue request;
    if (!cursor_.next(request)) return &why::malformed;
    if (request.kind != Kind::map) {
      call_.failure = why::no_map;
      return skip(cursor_, request, depth_max);
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
    PackedValue key;
    if (!cursor_.next(key) || key.kind != Kind::text) return &why::malformed;
    const Member member = member_named(key.text());
    if (member == none && !is_utf8(key.text())) return &why::malformed;
    if ((seen_ & member) != 0) return &why::given_twice;
    seen_ |= member;

    const char* const start = cursor_.position();
    PackedValue value;
    if (!cursor_.next(value)) return &why::malformed;
    if (member == params) params_start_ = cursor_.position();
    if (const Refusal refusal = skip(cursor_, value, depth_max)) return refusal;
    switch (member) {
      case version: version_ = value; break;
      case id:
        id_ = value;
        id_spelling_ = {start, cursor_.position()};
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
    const auto operation = parse_operation(method_.text());
    if (!operation) return &why::unknown_method;
    call_.command.operation = *operation;
    if ((seen_ & params) == 0) return nullptr;
    // A second walk, over bytes that are known to be well-formed.
    PackedCursor cursor({params_start_, cursor_.position()});
    return params_.kind == Kind::map ? read_named(cursor) : read_positional(cursor);
  }

  Refusal read_named(PackedCursor& cursor) {
    std::array<std::string_view, 5> names;  // By which each parameter was given.
    for (std::uint64_t i = 0; i < params_.number; ++i) {
      PackedValue name;
      if (!cursor.next(name)) return &why::malformed;
      const auto param = parse_param(call_.command.operation, name.text());
      if (!param) return &why::unknown_param;
      std::string_view& earlier = names[static_cast<std::size_t>(*param)];
      if (earlier == name.text()) return &why::given_twice;
      if (!earlier.empty()) return &why::two_moves;
      earlier = name.text();
      if (const Refusal refusal = read_param(*param, cursor)) return refusal;
    }
    return nullptr;
  }

  Refusal read_positional(PackedCursor& cursor) {
    const auto order = params_of(call_.command.operation);
    if (params_.number > order.size()) return &why::too_many_params;
    for (std::uint64_t i = 0; i < params_.number; ++i) {
      if (const Refusal refusal = read_param(order[i], cursor)) return refusal;
    }
    return nullptr;
  }

  Refusal read_param(Param param, PackedCursor& cursor) {
    PackedValue value;
    if (!cursor.next(value)) return &why::malformed;
    if (param != Param::best_of) {
      if (value.kind != Kind::text) return &why::no_text;
      assign(call_.command, param, value.text());
      return nullptr;
    }
    if (value.kind != Kind::natural || value.number > UINT32_MAX) return &why::no_best_of;
    call_.command.best_of = static_cast<std::uint32_t>(value.number);
    return nullptr;
  }

  PackedCursor& cursor_;
  Call& call_;
  unsigned seen_ = none;
  PackedValue version_;
  PackedValue id_;
  PackedValue method_;
  PackedValue params_;
  std::string_view id_spelling_;
  const char* params_start_ = nullptr;  // The first of what params_ holds.
};

// Whether the payload is an array, and of how many; the cursor stands behind its beginning then.
// Refuses one that cannot be a batch.
Refusal begin_batch(PackedCursor& cursor, std::size_t batch_calls_max, Calls& calls,
                    std::uint64_t& count) {
  PackedCursor ahead = cursor;
  PackedValue value;
  if (!ahead.next(value)) return &why::malformed;
  if (value.kind != Kind::array) return nullptr;
  if (value.number == 0) return &why::no_calls;
  if (value.number > batch_calls_max) return &why::too_many_calls;
  cursor = ahead;
  calls.is_batch = true;
  count = value.number;
  return nullptr;
}

Refusal read_payload(std::string_view payload, std::size_t batch_calls_max, Calls& calls) {
  PackedCursor cursor(payload);
  std::uint64_t count = 1;
  if (const Refusal refusal = begin_batch(cursor, batch_calls_max, calls, count)) return refusal;
  const std::size_t depth_max = limits::json_depth_max - (calls.is_batch ? 1 : 0);
  for (std::uint64_t i = 0; i < count; ++i) {
    CallReader reader(cursor, calls.add());
    if (const Refusal refusal = reader.read(depth_max)) return refusal;
  }
  return cursor.at_end() ? nullptr : &why::malformed;
}

}  // namespace

void read_message_pack(std::string_view payload, std::size_t batch_calls_max, Calls& calls) {
  calls.clear();
  const Refusal refusal = read_payload(payload, batch_calls_max, calls);
  if (refusal == nullptr) return;
  calls.clear();
  Call& call = calls.add();
  call.id = null_id;
  call.failure = *refusal;
}

namespace {

void write_score(PackedPen& pen, const Score& score) {
  pen.map(4);
  pen.text("wins").natural(score.wins);
  pen.text("draws").natural(score.draws);
  pen.text("losses").natural(score.losses);
  pen.text("rounds").natural(score.rounds());
}

// The members that every reply begins with, up to the name of its last one.
void begin_reply(PackedPen& pen, std::string_view id) {
  pen.map(3).text("jsonrpc").text("2.0").text("id").raw(id);
}

void write_result(PackedPen& pen, const Reply& reply) {
  switch (reply.operation) {
    case Operation::play:
      pen.map(5);
      pen.text("opponent_move").text(to_string(reply.opponent_move));
      pen.text("result").text(to_string(reply.result));
      pen.text("reason").text(reply.reason);
      pen.text("round").natural(reply.round);
      pen.text("score");
      write_score(pen, reply.score);
      return;
    case Operation::score: write_score(pen, reply.score); return;
    case Operation::join:
      pen.map(2);
      pen.text("seat").natural(static_cast<unsigned>(reply.seat));
      pen.text("best_of").natural(reply.best_of);
      return;
    case Operation::throw_move: pen.map(1).text("accepted").boolean(true); return;
    case Operation::leave: pen.map(1).text("done").boolean(true); return;
  }
}

void append_error(std::string_view id, const Failure& failure, std::uint32_t retry_after_ms,
                  std::string& out) {
  append_packed(out, limits::reply_bytes_max, [&](PackedPen& pen) {
    const bool is_overloaded = failure.error == Error::overloaded;
    begin_reply(pen, id);
    pen.text("error").map(3);
    pen.text("code").negative(static_cast<int>(failure.code));
    pen.text("message").text(message_of(failure.code, failure.error));
    pen.text("data").map(is_overloaded ? 3 : 2);
    pen.text("error").text(to_string(failure.error));
    pen.text("detail").text(failure.detail);
    if (is_overloaded) pen.text("retry_after_ms").natural(retry_after_ms);
  });
}

void append_reply_packed(std::string_view id, const Reply& reply, std::string& out) {
  if (reply.error) {
    const Error error = *reply.error;
    append_error(id, {.code = code_of(error), .error = error, .detail = explain(error)},
                 reply.retry_after_ms, out);
    return;
  }
  append_packed(out, limits::reply_bytes_max, [&](PackedPen& pen) {
    begin_reply(pen, id);
    pen.text("result");
    write_result(pen, reply);
  });
}

void write_event(PackedPen& pen, const Event& event) {
  pen.map(3).text("jsonrpc").text("2.0");
  pen.text("method").text(to_string(event.type)).text("params");
  const auto begin_params = [&](unsigned members) {
    pen.map(members);
    pen.text("game_id").text(event.game_id.view());
    pen.text("player_id").text(event.player_id.view());
  };
  switch (event.type) {
    case EventType::opponent_joined:
    case EventType::opponent_ready:
    case EventType::opponent_left: begin_params(2); return;
    case EventType::round_over:
      begin_params(7);
      pen.text("player_move").text(to_string(event.player_move));
      pen.text("opponent_move").text(to_string(event.opponent_move));
      pen.text("result").text(to_string(event.result));
      pen.text("round").natural(event.round);
      break;
    case EventType::game_over:
      begin_params(4);
      pen.text("winner").text(event.winner.view());
      break;
  }
  pen.text("score");
  write_score(pen, event.score);
}

}  // namespace

const Format message_pack_format{
    .codec = Codec::message_pack,
    .null_id = null_id,
    .read = read_message_pack,
    .append_reply = append_reply_packed,
    .append_failure = [](std::string_view id, const Failure& failure,
                         std::string& out) { append_error(id, failure, 0, out); },
    .append_event =
        [](const Event& event, std::string& out) {
          append_packed(out, limits::reply_bytes_max,
                        [&](PackedPen& pen) { write_event(pen, event); });
        },
    .begin_batch =
        [](std::size_t count, std::string& out) {
          constexpr std::size_t header_bytes_max = 5;
          append_packed(out, header_bytes_max, [&](PackedPen& pen) { pen.array(count); });
        },
    .separate = [](std::string&) {},
    .end_batch = [](std::string&) {},
};

}  // namespace rps::jsonrpc
