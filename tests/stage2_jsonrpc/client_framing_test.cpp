// JSON-RPC on lines and over HTTP, as our client speaks them.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "stage2_jsonrpc/client_http.hpp"
#include "stage2_jsonrpc/client_line.hpp"
#include "stage2_jsonrpc/format.hpp"
#include "tests/catch.hpp"
#include "tests/stage2_jsonrpc/contract_values.hpp"
#include "tests/stage2_jsonrpc/decoded.hpp"

namespace rps::jsonrpc {
namespace {

using Outcome = net::WireCodec::Outcome;

std::string reply_text(const Reply& reply) {
  std::string text;
  json_format.encode_reply("42", reply, text);
  return text;
}

const Reply won{.operation = Operation::play,
                .opponent_move = Move::scissors,
                .result = Result::win,
                .reason = reason(Move::rock, Move::scissors),
                .round = 1,
                .score = {.wins = 1}};

// ---- Lines ---------------------------------------------------------------------------------

TEST_CASE("A call is one line, whatever is in it") {
  LineClientCodec codec;
  std::string out;
  codec.encode(42, {.move = Move::rock}, out);
  CHECK(out == R"({"jsonrpc":"2.0","id":42,"method":"play","params":{"player_move":"ROCK"}})"
               "\n");
  out.clear();
  codec.encode(42, {.operation = Operation::score, .session_id = "a\nb\r"}, out);
  CHECK(out.find('\n') == out.size() - 1);
  CHECK(!out.contains('\r'));
}

TEST_CASE("Replies and events come in lines, cut anywhere and together") {
  LineClientCodec codec;
  for (const std::string end : {"\n", "\r\n"}) {
    std::string all;
    for (const Reply& reply : all_replies()) {
      const std::string line = reply_text(reply) + end;
      for (std::size_t size = 0; size < line.size(); ++size) {
        CHECK(decode(codec, std::string_view(line).substr(0, size), reply.operation).outcome ==
              Outcome::need_more);
      }
      all += line;
    }
    for (const Event& event : all_events()) {
      json_format.encode_event(event, all);
      all += end;
    }
    std::string_view rest = all;
    for (const Reply& reply : all_replies()) {
      const Decoded decoded = decode(codec, rest, reply.operation);
      REQUIRE(decoded.outcome == Outcome::reply);
      check_same_reply(decoded.reply, reply);
      rest.remove_prefix(decoded.consumed);
    }
    for (const Event& event : all_events()) {
      // An event may come while a call is open, and while none is.
      REQUIRE(decode(codec, rest, std::nullopt).outcome == Outcome::event);
      const Decoded decoded = decode(codec, rest, Operation::throw_move);
      REQUIRE(decoded.outcome == Outcome::event);
      check_same_event(decoded.event, event);
      rest.remove_prefix(decoded.consumed);
    }
    CHECK(rest.empty());
  }
}

TEST_CASE("A line that is neither reply nor event breaks the stream") {
  LineClientCodec codec;
  for (const std::string_view line : {"\n", "{}\n", "nonsense\n",
                                      R"({"jsonrpc":"2.0","id":41,"result":{}})"
                                      "\n"}) {
    CHECK(decode(codec, line).outcome == Outcome::broken);
  }
  CHECK(decode(codec, reply_text(won) + '\n', std::nullopt).outcome == Outcome::broken);
}

// ---- HTTP ----------------------------------------------------------------------------------

std::string response(std::string_view head, std::string_view body) {
  return std::string(head) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

TEST_CASE("A call is a POST of its JSON") {
  HttpClientCodec codec("[::1]:7000");
  std::string out;
  codec.encode(42, {.move = Move::rock}, out);
  codec.encode(43, {.operation = Operation::score, .session_id = "s"}, out);
  CHECK(out ==
        "POST /rpc HTTP/1.1\r\nHost: [::1]:7000\r\nContent-Type: application/json\r\n"
        "Content-Length: 73\r\n\r\n"
        R"({"jsonrpc":"2.0","id":42,"method":"play","params":{"player_move":"ROCK"}})"
        "POST /rpc HTTP/1.1\r\nHost: [::1]:7000\r\nContent-Type: application/json\r\n"
        "Content-Length: 70\r\n\r\n"
        R"({"jsonrpc":"2.0","id":43,"method":"score","params":{"session_id":"s"}})");
}

TEST_CASE("A reply is the body of a response, cut anywhere") {
  HttpClientCodec codec("h:1");
  for (const std::string_view head :
       {"HTTP/1.1 200 OK", "HTTP/1.1 200",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nServer:x\r\nX-Empty:",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"}) {
    for (const Reply& reply : all_replies()) {
      const std::string bytes = response(head, reply_text(reply));
      for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK(decode(codec, std::string_view(bytes).substr(0, size), reply.operation).outcome ==
              Outcome::need_more);
      }
      const Decoded decoded = decode(codec, bytes + bytes, reply.operation);
      REQUIRE(decoded.outcome == Outcome::reply);
      CHECK(decoded.consumed == bytes.size());
      check_same_reply(decoded.reply, reply);
    }
  }
}

std::string in_chunks(std::string_view text) {
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(text.size(), 10))) {
    const std::string_view chunk = text.substr(0, 10);
    out += chunk.size() == 10 ? "a;x=y\r\n" : std::to_string(chunk.size()) + "\r\n";
    out.append(chunk).append("\r\n");
  }
  return out + "0\r\nX-Trailer: 1\r\nConnection: close\r\n\r\n";
}

TEST_CASE("A reply may come in chunks with a trailer, cut anywhere") {
  HttpClientCodec codec("h:1");
  const std::string bytes =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + in_chunks(reply_text(won));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(decode(codec, std::string_view(bytes).substr(0, size)).outcome == Outcome::need_more);
  }
  const Decoded decoded = decode(codec, bytes + "HTTP");
  REQUIRE(decoded.outcome == Outcome::reply);
  CHECK(decoded.consumed == bytes.size());
  check_same_reply(decoded.reply, won);
}

TEST_CASE("A reply says that it is the last of its connection") {
  HttpClientCodec codec("h:1");
  for (const std::string_view head :
       {"HTTP/1.1 200 OK\r\nConnection: close", "HTTP/1.1 200 OK\r\nconnection: x, Close",
        "HTTP/1.0 200 OK"}) {
    CAPTURE(head);
    const std::string bytes = response(head, reply_text(won));
    const Decoded decoded = decode(codec, bytes);
    REQUIRE(decoded.outcome == Outcome::last_reply);
    CHECK(decoded.consumed == bytes.size());
    check_same_reply(decoded.reply, won);
  }
  const std::string refused = response("HTTP/1.1 503 No\r\nConnection: close", "no JSON");
  CHECK(decode(codec, refused).outcome == Outcome::last_reply);
  CHECK(decode(codec, refused).reply.error == Error::unavailable);
}

TEST_CASE("A reply without a length ends with its connection, and is whole only there") {
  HttpClientCodec codec("h:1");
  constexpr HttpClientCodec::Expected expected{.operation = Operation::play, .sequence = 42};
  for (const std::string head : {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n"}) {
    const std::string bytes = head + reply_text(won);
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
      const std::string_view part = std::string_view(bytes).substr(0, size);
      CHECK(decode(codec, part).outcome == Outcome::need_more);
      Reply reply;
      const Outcome outcome = codec.decode_end(part, expected, reply);
      CHECK(outcome == (size == bytes.size() ? Outcome::last_reply : Outcome::broken));
    }
  }
  const std::string cut = response("HTTP/1.1 200 OK", reply_text(won));
  Reply reply;
  CHECK(codec.decode_end(std::string_view(cut).substr(0, cut.size() - 1), expected, reply) ==
        Outcome::broken);
}

TEST_CASE("The length of a body is read in any spelling") {
  HttpClientCodec codec("h:1");
  const std::string body = reply_text(won);
  const std::string size = std::to_string(body.size());
  for (const std::string& header : {"content-length:" + size, "CONTENT-LENGTH: \t" + size + " \t",
                                    "Content-Length: " + size + "\r\nContent-Length: " + size}) {
    const Decoded decoded = decode(codec, "HTTP/1.1 200 OK\r\n" + header + "\r\n\r\n" + body);
    CHECK(decoded.outcome == Outcome::reply);
  }
}

TEST_CASE("A status that is not 200 is the error its body tells, or else its own") {
  HttpClientCodec codec("h:1");
  struct Row {
    int status;
    Error error;
  };
  constexpr Row table[] = {{400, Error::malformed_request}, {401, Error::unauthenticated},
                           {403, Error::permission_denied}, {404, Error::unknown_operation},
                           {405, Error::unknown_operation}, {408, Error::deadline_exceeded},
                           {409, Error::not_your_turn},     {413, Error::too_large},
                           {415, Error::malformed_request}, {429, Error::overloaded},
                           {431, Error::too_large},         {500, Error::internal},
                           {502, Error::internal},          {503, Error::unavailable},
                           {504, Error::deadline_exceeded}, {302, Error::internal}};
  for (const Row& row : table) {
    const std::string head = "HTTP/1.1 " + std::to_string(row.status) + " Words";
    const std::string bytes = response(head, "<p>no JSON</p>");
    const Decoded decoded = decode(codec, bytes, Operation::score);
    REQUIRE(decoded.outcome == Outcome::reply);
    CHECK(decoded.consumed == bytes.size());
    CHECK(decoded.reply.operation == Operation::score);
    CHECK(decoded.reply.error == row.error);
    const std::string told =
        response(head, reply_text({.operation = Operation::score, .error = Error::game_full}));
    CHECK(decode(codec, told, Operation::score).reply.error == Error::game_full);
  }
}

TEST_CASE("A response that refuses may say when to ask again") {
  HttpClientCodec codec("h:1");
  const auto retry_after = [&](const std::string& head, std::string_view body) {
    return decode(codec, response(head, body)).reply.retry_after_ms;
  };
  CHECK(retry_after("HTTP/1.1 429 Busy\r\nRetry-After: 2", "<p>busy</p>") == 2000);
  CHECK(retry_after("HTTP/1.1 503 Busy\r\nretry-after:  120 ", "") == 120'000);
  CHECK(retry_after("HTTP/1.1 503 Busy\r\nRetry-After: 99999999999", "") == UINT32_MAX);
  CHECK(retry_after("HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT", "") == 0);
  CHECK(retry_after("HTTP/1.1 503 Busy\r\nRetry-After: -1", "") == 0);
  const std::string told = reply_text({.error = Error::overloaded, .retry_after_ms = 7});
  CHECK(retry_after("HTTP/1.1 429 Busy\r\nRetry-After: 2", told) == 7);
  CHECK(retry_after("HTTP/1.1 429 Busy", "") == 0);
}

TEST_CASE("A response without a body answers, though with nothing") {
  HttpClientCodec codec("h:1");
  for (const std::string bytes : {"HTTP/1.1 204 No Content\r\n\r\n",
                                  "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"}) {
    const Decoded decoded = decode(codec, bytes + "HTTP");
    REQUIRE(decoded.outcome == Outcome::reply);
    CHECK(decoded.consumed == bytes.size());
    CHECK(decoded.reply.error == Error::internal);
  }
}

TEST_CASE("A response that cannot be understood breaks the stream") {
  HttpClientCodec codec("h:1");
  const std::string body = reply_text(won);
  const std::string size = std::to_string(body.size());
  for (const std::string& bytes :
       {response("HTTP/1.1 200 OK", "{}"),
        response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", body),
        response("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip", body),
        response("HTTP/1.1 200 OK\r\nno colon", body), response("HTTP/2 200 OK", body),
        response("HTTP/1.1 2000 OK", body), response("HTTP/1.1 20 OK", body),
        response("HTTP/1.1 099 OK", body), response("HTTP/1.1  200 OK", body), response("", body),
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + body,
        "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n" + body,
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n" + body,
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n" + body,
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: " + size + "\r\n\r\n" + body}) {
    INFO(bytes);
    CHECK(decode(codec, bytes).outcome == Outcome::broken);
  }
  CHECK(decode(codec, response("HTTP/1.1 200 OK", body), std::nullopt).outcome == Outcome::broken);
}

}  // namespace
}  // namespace rps::jsonrpc
