#include "stage2_jsonrpc/reply.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "stage2_jsonrpc/limits.hpp"

namespace rps::jsonrpc {

namespace {

// Writes into room that is known to be enough.
class Pen {
 public:
  explicit Pen(char* at) : at_(at) {}

  Pen& text(std::string_view text) {
    if (text.empty()) return *this;  // Which may have no address, and memcpy must be given one.
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }

  template <class Integer>
  Pen& number(Integer value) {
    constexpr std::size_t digits_max = 20;
    at_ = std::to_chars(at_, at_ + digits_max, value).ptr;
    return *this;
  }

  // Words of the game: none of them needs an escape.
  Pen& word(std::string_view word) { return text("\"").text(word).text("\""); }

  Pen& score(const Score& score) {
    text(R"({"wins":)").number(score.wins);
    text(R"(,"draws":)").number(score.draws);
    text(R"(,"losses":)").number(score.losses);
    return text(R"(,"rounds":)").number(score.rounds()).text("}");
  }

  char* at() const { return at_; }

 private:
  char* at_;
};

// Appends what `write(Pen&)` writes, at most `bytes_max` bytes, without filling the room first.
template <class Write>
void append(std::string& out, std::size_t bytes_max, Write&& write) {
  const std::size_t size = out.size();
  if (out.capacity() - size < bytes_max)
    out.reserve(std::max(2 * out.capacity(), size + bytes_max));
  out.resize_and_overwrite(size + bytes_max, [&](char* data, [[maybe_unused]] std::size_t room) {
    Pen pen(data + size);
    write(pen);
    const auto written = static_cast<std::size_t>(pen.at() - data);
    assert(written <= room);
    return written;
  });
}

Pen& begin(Pen& pen, std::string_view id) {
  return pen.text(R"({"jsonrpc":"2.0","id":)").text(id);
}

void write_result(Pen& pen, const Reply& reply) {
  switch (reply.operation) {
    case Operation::play:
      pen.text(R"({"opponent_move":)").word(to_string(reply.opponent_move));
      pen.text(R"(,"result":)").word(to_string(reply.result));
      pen.text(R"(,"reason":)").word(reply.reason);
      pen.text(R"(,"round":)").number(reply.round);
      pen.text(R"(,"score":)").score(reply.score).text("}");
      return;
    case Operation::score: pen.score(reply.score); return;
    case Operation::join:
      pen.text(R"({"seat":)").number(static_cast<unsigned>(reply.seat));
      pen.text(R"(,"best_of":)").number(reply.best_of).text("}");
      return;
    case Operation::throw_move: pen.text(R"({"accepted":true})"); return;
    case Operation::leave: pen.text(R"({"done":true})"); return;
  }
}

void write_error(Pen& pen, const Failure& failure, std::uint32_t retry_after_ms) {
  pen.text(R"(,"error":{"code":)").number(static_cast<int>(failure.code));
  pen.text(R"(,"message":)").word(message_of(failure.code, failure.error));
  pen.text(R"(,"data":{"error":)").word(to_string(failure.error));
  pen.text(R"(,"detail":)").word(failure.detail);
  if (failure.error == Error::overloaded) {
    pen.text(R"(,"retry_after_ms":)").number(retry_after_ms);
  }
  pen.text("}}}");
}

void append_error(std::string_view id, const Failure& failure, std::uint32_t retry_after_ms,
                  std::string& out) {
  append(out, limits::reply_bytes_max,
         [&](Pen& pen) { write_error(begin(pen, id), failure, retry_after_ms); });
}

}  // namespace

Code code_of(Error error) {
  switch (error) {
    case Error::invalid_move:
    case Error::malformed_request: return Code::invalid_params;
    case Error::unknown_operation: return Code::method_not_found;
    case Error::unknown_session:
    case Error::unknown_game: return Code::unknown;
    case Error::not_your_turn:
    case Error::game_full: return Code::refused;
    case Error::too_large: return Code::too_large;
    case Error::overloaded: return Code::overloaded;
    case Error::deadline_exceeded: return Code::deadline_exceeded;
    case Error::unavailable: return Code::unavailable;
    case Error::internal: return Code::internal_error;
  }
  return Code::internal_error;
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
    case Code::unavailable: return explain(error);
  }
  return explain(error);
}

void append_reply(std::string_view id, const Reply& reply, std::string& out) {
  if (reply.error) {
    const Error error = *reply.error;
    append_error(id, {.code = code_of(error), .error = error, .detail = explain(error)},
                 reply.retry_after_ms, out);
    return;
  }
  append(out, limits::reply_bytes_max, [&](Pen& pen) {
    begin(pen, id).text(R"(,"result":)");
    write_result(pen, reply);
    pen.text("}");
  });
}

void append_failure(std::string_view id, const Failure& failure, std::string& out) {
  append_error(id, failure, 0, out);
}

void append_event(const Event& event, std::string& out) {
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
      append(out, numbers_bytes_max, [&](Pen& pen) {
        pen.text(R"(,"player_move":)").word(to_string(event.player_move));
        pen.text(R"(,"opponent_move":)").word(to_string(event.opponent_move));
        pen.text(R"(,"result":)").word(to_string(event.result));
        pen.text(R"(,"round":)").number(event.round);
        pen.text(R"(,"score":)").score(event.score);
      });
      break;
    case EventType::game_over:
      out.append(R"(,"winner":)");
      append_string(event.winner.view(), out);
      append(out, numbers_bytes_max,
             [&](Pen& pen) { pen.text(R"(,"score":)").score(event.score); });
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
