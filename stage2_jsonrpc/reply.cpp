#include "stage2_jsonrpc/reply.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "stage2_jsonrpc/append_in_place.hpp"
#include "stage2_jsonrpc/limits.hpp"

namespace rps::jsonrpc {

namespace {

// Writes JSON to an address. REQUIRES: there is room for all that it writes.
class JsonWriter {
 public:
  explicit JsonWriter(char* at) : at_(at) {}

  JsonWriter& text(std::string_view text) {
    if (text.empty()) return *this;  // memcpy() must not get the null address that it may have.
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }

  template <class Integer>
  JsonWriter& number(Integer value) {
    constexpr std::size_t digits_max = 20;
    at_ = std::to_chars(at_, at_ + digits_max, value).ptr;
    return *this;
  }

  // Words of the game: none of them needs an escape.
  JsonWriter& word(std::string_view word) { return text("\"").text(word).text("\""); }

  JsonWriter& score(const Score& score) {
    text(R"({"wins":)").number(score.wins);
    text(R"(,"draws":)").number(score.draws);
    text(R"(,"losses":)").number(score.losses);
    return text(R"(,"rounds":)").number(score.rounds()).text("}");
  }

  char* at() const { return at_; }

 private:
  char* at_;
};

JsonWriter& begin(JsonWriter& writer, std::string_view id) {
  return writer.text(R"({"jsonrpc":"2.0","id":)").text(id);
}

void write_result(JsonWriter& writer, const Reply& reply) {
  switch (reply.operation) {
    case Operation::play:
      writer.text(R"({"opponent_move":)").word(to_string(reply.opponent_move));
      writer.text(R"(,"result":)").word(to_string(reply.result));
      writer.text(R"(,"reason":)").word(reply.reason);
      writer.text(R"(,"round":)").number(reply.round);
      writer.text(R"(,"score":)").score(reply.score).text("}");
      return;
    case Operation::score: writer.score(reply.score); return;
    case Operation::join:
      writer.text(R"({"seat":)").number(static_cast<unsigned>(reply.seat));
      writer.text(R"(,"best_of":)").number(reply.best_of).text("}");
      return;
    case Operation::throw_move: writer.text(R"({"accepted":true})"); return;
    case Operation::leave: writer.text(R"({"done":true})"); return;
    case Operation::watch: return;  // Not offered.
  }
}

void write_error(JsonWriter& writer, const Failure& failure, std::uint32_t retry_after_ms) {
  writer.text(R"(,"error":{"code":)").number(static_cast<int>(failure.code));
  writer.text(R"(,"message":)").word(message_of(failure.code, failure.error));
  writer.text(R"(,"data":{"error":)").word(to_string(failure.error));
  writer.text(R"(,"detail":)").word(failure.detail);
  if (failure.error == Error::overloaded) {
    writer.text(R"(,"retry_after_ms":)").number(retry_after_ms);
  }
  writer.text("}}}");
}

void append_error(std::string_view id, const Failure& failure, std::uint32_t retry_after_ms,
                  std::string& out) {
  append_in_place<JsonWriter>(out, limits::reply_bytes_max, [&](JsonWriter& writer) {
    write_error(begin(writer, id), failure, retry_after_ms);
  });
}

Code code_of(Error error) {
  switch (error) {
    case Error::invalid_move:
    case Error::malformed_request: return Code::invalid_params;
    case Error::unknown_operation: return Code::method_not_found;
    case Error::unknown_session:
    case Error::unknown_game: return Code::unknown;
    case Error::not_your_turn:
    case Error::game_full: return Code::refused;
    case Error::unauthenticated: return Code::unauthenticated;
    case Error::permission_denied: return Code::permission_denied;
    case Error::too_large: return Code::too_large;
    case Error::overloaded: return Code::overloaded;
    case Error::deadline_exceeded: return Code::deadline_exceeded;
    case Error::unavailable: return Code::unavailable;
    case Error::internal: return Code::internal_error;
  }
  return Code::internal_error;
}

}  // namespace

Failure failure_of(Error error) {
  return {.code = code_of(error), .error = error, .detail = explain(error)};
}

std::string_view message_of(Code code, Error error) {
  switch (code) {
    case Code::parse_error: return "Parse error";
    case Code::invalid_request: return "Invalid Request";
    case Code::method_not_found: return "Method not found";
    case Code::invalid_params: return "Invalid params";
    case Code::internal_error: return "Internal error";
    case Code::overloaded:
    case Code::unknown:
    case Code::refused:
    case Code::too_large:
    case Code::deadline_exceeded:
    case Code::unavailable:
    case Code::unauthenticated:
    case Code::permission_denied: return explain(error);
  }
  return explain(error);
}

void encode_json_reply(std::string_view id, const Reply& reply, std::string& out) {
  if (reply.error) return append_error(id, failure_of(*reply.error), reply.retry_after_ms, out);
  append_in_place<JsonWriter>(out, limits::reply_bytes_max, [&](JsonWriter& writer) {
    begin(writer, id).text(R"(,"result":)");
    write_result(writer, reply);
    writer.text("}");
  });
}

void encode_json_failure(std::string_view id, const Failure& failure, std::string& out) {
  append_error(id, failure, 0, out);
}

void encode_json_event(const Event& event, std::string& out) {
  out.append(R"({"jsonrpc":"2.0","method":)");
  append_string(to_string(event.type), out);
  out.append(R"(,"params":{"game_id":)");
  append_string(event.game_id.view(), out);
  out.append(R"(,"player_id":)");
  append_string(event.player_id.view(), out);
  constexpr std::size_t numbers_bytes_max = 256;
  switch (event.type) {
    case EventType::opponent_joined:
    case EventType::opponent_ready:
    case EventType::opponent_left: break;
    case EventType::round_over:
      append_in_place<JsonWriter>(out, numbers_bytes_max, [&](JsonWriter& writer) {
        writer.text(R"(,"player_move":)").word(to_string(event.player_move));
        writer.text(R"(,"opponent_move":)").word(to_string(event.opponent_move));
        writer.text(R"(,"result":)").word(to_string(event.result));
        writer.text(R"(,"round":)").number(event.round);
        writer.text(R"(,"score":)").score(event.score);
      });
      break;
    case EventType::game_over:
      out.append(R"(,"winner":)");
      append_string(event.winner.view(), out);
      append_in_place<JsonWriter>(out, numbers_bytes_max, [&](JsonWriter& writer) {
        writer.text(R"(,"score":)").score(event.score);
      });
      break;
  }
  out.append("}}");
}

void append_string(std::string_view text, std::string& out) {
  const auto needs_escape = [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '"' || c == '\\';
  };
  out.push_back('"');
  while (true) {
    const auto plain = std::ranges::find_if(text, needs_escape);
    out.append(text.begin(), plain);
    if (plain == text.end()) break;
    constexpr std::string_view hex = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(*plain);
    out.append("\\u00");
    out.push_back(hex[value >> 4]);
    out.push_back(hex[value & 15]);
    text = {plain + 1, text.end()};
  }
  out.push_back('"');
}

}  // namespace rps::jsonrpc
