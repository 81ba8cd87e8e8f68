// The gateway's client without sockets: the bytes that it writes, and what it makes of responses.
// The good responses and the refusals are made by the gateway's own code.
#include "stage3_grpc/rest/client.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/judge.hpp"
#include "core/net/http.hpp"
#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/rest/binding.hpp"
#include "stage3_grpc/rest/client_codec.hpp"
#include "stage3_grpc/rest/json_reader.hpp"
#include "stage3_grpc/rest/json_writer.hpp"
#include "stage3_grpc/rest/problem.hpp"
#include "tests/catch.hpp"

namespace rps::rpc::rest {
namespace {

using Outcome = net::WireCodec::Outcome;

constexpr std::uint64_t largest = 18446744073709551615U;

std::string bytes_of(const net::HttpPage& page, bool keep_open = true) {
  std::string bytes;
  net::append_http({.keep_open = keep_open}, page, "Sun, 06 Nov 1994 08:49:37 GMT", bytes);
  return bytes;
}

template <class Response>
std::string good(const Reply& reply) {
  Response response;
  write(reply, response);
  net::HttpPage page{.type = "application/json"};
  append_json(response, page.body);
  return bytes_of(page);
}

// As the gateway answers it.
std::string answer(const Reply& reply) {
  if (reply.error) return bytes_of(error_page(reply, ErrorForm::status));
  return reply.operation == Operation::score ? good<v1::ScoreResponse>(reply)
                                             : good<v1::PlayResponse>(reply);
}

std::string response(std::string_view head, std::string_view body) {
  return std::string(head) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

std::vector<Reply> all_replies() {
  std::vector<Reply> replies{
      {.operation = Operation::score, .score = {.wins = 1, .draws = 200, .losses = largest - 201}},
      {.operation = Operation::score, .error = Error::unknown_session},
      {.operation = Operation::play,
       .opponent_move = Move::paper,
       .result = Result::draw,
       .reason = reason(Move::paper, Move::paper)}};
  for (const Move player : all_moves) {
    for (const Move opponent : all_moves) {
      replies.push_back({.operation = Operation::play,
                         .opponent_move = opponent,
                         .result = judge(player, opponent),
                         .reason = reason(player, opponent),
                         .round = largest,
                         .score = {.wins = 1, .draws = 2, .losses = largest - 3}});
    }
  }
  return replies;
}

struct Decoded {
  Outcome outcome = Outcome::broken;
  std::size_t consumed = 0;
  Reply reply;
  std::string reason;
};

Decoded decode(net::WireCodec& codec, std::string_view bytes,
               std::optional<Operation> operation = Operation::play) {
  Decoded decoded;
  Event event;
  const net::WireCodec::Expected expected{.operation = operation.value_or(Operation::play),
                                          .sequence = 42};
  decoded.outcome =
      codec.decode(bytes, operation ? &expected : nullptr, decoded.consumed, decoded.reply, event);
  decoded.reason = decoded.reply.reason;
  return decoded;
}

void check_same(const Decoded& decoded, const Reply& reply) {
  CHECK(decoded.reply.operation == reply.operation);
  REQUIRE(decoded.reply.error == reply.error);
  if (reply.error) return;
  CHECK(decoded.reply.opponent_move == reply.opponent_move);
  CHECK(decoded.reply.result == reply.result);
  CHECK(decoded.reason == reply.reason);
  CHECK(decoded.reply.round == reply.round);
  CHECK(decoded.reply.score == reply.score);
}

std::string encode(net::WireCodec& codec, const Command& command) {
  std::string out;
  codec.encode(42, command, out);
  return out;
}

// ---- Requests --------------------------------------------------------------------------------

TEST_CASE("A round is a POST of its JSON, a score a GET of its path") {
  ClientCodec codec("[::1]:8080");
  std::string out;
  codec.encode(1, {.move = Move::rock}, out);
  codec.encode(2, {.move = Move::paper, .session_id = "s"}, out);
  codec.encode(3, {.operation = Operation::score, .session_id = "s"}, out);
  CHECK(out ==
        "POST /v1/play HTTP/1.1\r\nHost: [::1]:8080\r\nContent-Type: application/json\r\n"
        "Content-Length: 22\r\n\r\n"
        R"({"player_move":"ROCK"})"
        "POST /v1/play HTTP/1.1\r\nHost: [::1]:8080\r\nContent-Type: application/json\r\n"
        "Content-Length: 40\r\n\r\n"
        R"({"player_move":"PAPER","session_id":"s"})"
        "GET /v1/sessions/s/score HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n");
}

TEST_CASE("A token is sent with every call") {
  ClientCodec codec("h:1", "secret");
  CHECK(encode(codec, {.move = Move::rock}).contains("\r\nAuthorization: Bearer secret\r\n"));
  CHECK(encode(codec, {.operation = Operation::score, .session_id = "s"})
            .contains("\r\nAuthorization: Bearer secret\r\n"));
}

TEST_CASE("Whatever an id is, the gateway reads the id that was meant") {
  ClientCodec codec("localhost:1");
  std::string all;
  for (int c = 1; c < 128; ++c) all.push_back(static_cast<char>(c));
  for (const std::string& id : {all, std::string("a/b?c#d%41"), std::string(".."),
                                std::string("caf\u00e9"), std::string("x\r\nHost: evil\r\n\r\n")}) {
    net::HttpReader reader({.header_bytes_max = 8192, .body_bytes_max = 65536});
    std::size_t consumed = 0;
    const std::string score = encode(codec, {.operation = Operation::score, .session_id = id});
    REQUIRE(reader.read(score, consumed) == net::HttpReader::Outcome::request);
    CHECK(consumed == score.size());
    const RouteTable routes(
        *v1::PlayRequest::descriptor()->file()->FindServiceByName("RockPaperScissorsService"));
    const auto found = routes.find("GET", reader.path());
    REQUIRE(found.route != nullptr);
    CHECK(found.route->path == "/v1/sessions/{session_id}/score");
    v1::ScoreRequest asked;
    REQUIRE(read_request(*found.route, found.values, "", "", asked));
    CHECK(asked.session_id() == id);

    reader.reset();
    consumed = 0;
    const std::string play = encode(codec, {.move = Move::rock, .session_id = id});
    REQUIRE(reader.read(play, consumed) == net::HttpReader::Outcome::request);
    CHECK(consumed == play.size());
    v1::PlayRequest played;
    REQUIRE_FALSE(read_json(reader.request().body(), played));
    CHECK(played.session_id() == id);
    CHECK(played.player_move() == v1::ROCK);
  }
}

TEST_CASE("A move that is none is left out, so that the server refuses it") {
  ClientCodec codec("h:1");
  CHECK(encode(codec, {}).ends_with("Content-Length: 2\r\n\r\n{}"));
  CHECK(encode(codec, {.session_id = "s"}).ends_with(R"({"session_id":"s"})"));
}

TEST_CASE("What has no request is refused") {
  const ClientCodec codec("h:1");
  for (const Operation operation : all_operations) {
    const Command command{.operation = operation, .session_id = "s", .game_id = "g"};
    CHECK(codec.refusal(command) ==
          (is_of_duel(operation) ? std::optional(Error::unknown_operation) : std::nullopt));
  }
  CHECK(codec.refusal({.operation = Operation::score}) == Error::malformed_request);
  CHECK_FALSE(codec.refusal({.operation = Operation::play}));
}

// ---- Responses -------------------------------------------------------------------------------

TEST_CASE("A reply is a response of the gateway, cut anywhere") {
  ClientCodec codec("h:1");
  for (const Reply& reply : all_replies()) {
    const std::string bytes = answer(reply);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CHECK(decode(codec, std::string_view(bytes).substr(0, size), reply.operation).outcome ==
            Outcome::need_more);
    }
    const Decoded decoded = decode(codec, bytes + bytes, reply.operation);
    REQUIRE(decoded.outcome == Outcome::reply);
    CHECK(decoded.consumed == bytes.size());
    check_same(decoded, reply);
  }
}

TEST_CASE("Every error of the gateway is read as that error, with the time to wait") {
  ClientCodec codec("h:1");
  for (const Operation operation : {Operation::play, Operation::score}) {
    for (const Error error : all_errors) {
      const Reply reply{.operation = operation, .error = error, .retry_after_ms = 1'500};
      const Decoded decoded = decode(codec, answer(reply), operation);
      REQUIRE(decoded.outcome == Outcome::reply);
      CHECK(decoded.reply.operation == operation);
      CHECK(decoded.reply.error == error);
      CHECK(decoded.reply.retry_after_ms == (error == Error::overloaded ? 1'500 : 0));
    }
  }
}

TEST_CASE("A fault of the request, of which no call comes, is read by its status") {
  ClientCodec codec("h:1");
  struct Row {
    net::HttpStatus status;
    Error error;
  };
  constexpr Row table[] = {{net::HttpStatus::bad_request, Error::malformed_request},
                           {net::HttpStatus::not_found, Error::unknown_operation},
                           {net::HttpStatus::method_not_allowed, Error::unknown_operation},
                           {net::HttpStatus::request_timeout, Error::deadline_exceeded},
                           {net::HttpStatus::payload_too_large, Error::too_large},
                           {net::HttpStatus::misdirected_request, Error::malformed_request},
                           {net::HttpStatus::request_header_fields_too_large, Error::too_large}};
  for (const Row& row : table) {
    const auto page = fault_page(row.status, "a sentence", ErrorForm::status);
    const Decoded decoded = decode(codec, bytes_of(page, false), Operation::score);
    CHECK(decoded.outcome == Outcome::last_reply);
    CHECK(decoded.reply.error == row.error);
  }
}

TEST_CASE("The reason decides, whatever the message and the status say") {
  ClientCodec codec("h:1");
  const Decoded decoded = decode(
      codec, response("HTTP/1.1 400 No", R"({"code":9,"message":"not_your_turn: wait","details":[
               {"@type":"type.googleapis.com/google.rpc.RetryInfo"},
               {"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"rps",
                "reason":"GAME_FULL","metadata":{}}]})"));
  CHECK(decoded.outcome == Outcome::reply);
  CHECK(decoded.reply.error == Error::game_full);
}

TEST_CASE("The error of another server's gateway is told by its message, else by its status") {
  ClientCodec codec("h:1");
  const auto error_of = [&](std::string_view body) {
    const Decoded decoded = decode(codec, response("HTTP/1.1 409 No", body));
    CHECK(decoded.outcome == Outcome::reply);
    return decoded.reply.error;
  };
  CHECK(error_of(R"({"code":9,"message":"game_full: two others play","details":[]})") ==
        Error::game_full);
  for (const std::string_view body :
       {R"({"code":9,"message":"two others play"})", R"({"message":7,"details":7})", "{}", "[]",
        "<p>no JSON</p>", "",
        R"({"details":[7,{},{"@type":7,"domain":"rps","reason":"GAME_FULL"}]})",
        R"({"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"other",
            "reason":"GAME_FULL"}]})",
        R"({"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"rps",
            "reason":"NO_SUCH","metadata":7}]})"}) {
    INFO(body);
    CHECK(error_of(body) == Error::not_your_turn);
  }
  CHECK(decode(codec, response("HTTP/1.1 503 No\r\nRetry-After: 2", "")).reply.retry_after_ms ==
        2000);
}

TEST_CASE("A reply may be spelled as protobuf's JSON allows it") {
  ClientCodec codec("h:1");
  const Decoded played =
      decode(codec, response("HTTP/1.0 200 OK", R"({ "later":[{}], "score":{"wins":2,"rounds":"2"},
               "round":2, "opponent_move":"SCISSORS","result":"WIN","reason":null })"));
  REQUIRE(played.outcome == Outcome::last_reply);
  check_same(played, {.operation = Operation::play,
                      .opponent_move = Move::scissors,
                      .result = Result::win,
                      .round = 2,
                      .score = {.wins = 2}});
  const Decoded score =
      decode(codec, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
             Operation::score);
  REQUIRE(score.outcome == Outcome::reply);
  check_same(score, {.operation = Operation::score});
}

TEST_CASE("A reply that contradicts itself is an error of the server") {
  ClientCodec codec("h:1");
  for (const std::string_view body :
       {"{}", R"({"opponent_move":"ROCK"})", R"({"opponent_move":"LIZARD","result":"WIN"})",
        R"({"opponent_move":"ROCK","result":"TIE"})",
        R"({"opponent_move":"ROCK","result":"WIN","score":{"wins":"1","rounds":"2"}})"}) {
    INFO(body);
    const Decoded decoded = decode(codec, response("HTTP/1.1 200 OK", body));
    CHECK(decoded.outcome == Outcome::reply);
    CHECK(decoded.reply.error == Error::internal);
  }
}

TEST_CASE("A response that is no reply breaks the stream") {
  ClientCodec codec("h:1");
  for (const std::string_view body :
       {"", "no JSON", "[]", "7", R"({"opponent_move":"ROCK","result":"WIN")",
        R"({"opponent_move":true,"result":"WIN"})",
        R"({"opponent_move":"ROCK","result":"WIN","round":"-1"})",
        R"({"opponent_move":"ROCK","result":"WIN","round":"18446744073709551616"})",
        R"({"opponent_move":"ROCK","result":"WIN","score":[]})",
        R"({"opponent_move":"ROCK","result":"WIN","score":{"wins":1.5}})",
        "{\"opponent_move\":\"ROCK\",\"result\":\"WIN\",\"reason\":\"\xff\"}"}) {
    INFO(body);
    CHECK(decode(codec, response("HTTP/1.1 200 OK", body)).outcome == Outcome::broken);
  }
  CHECK(decode(codec, "{\"opponent_move\":\"ROCK\"}\r\n\r\n").outcome == Outcome::broken);
  // Nobody has asked.
  CHECK(decode(codec, answer(all_replies().back()), std::nullopt).outcome == Outcome::broken);
}

TEST_CASE(
    "A response with any one byte changed is a reply, or waits for more, or breaks the stream") {
  ClientCodec codec("h:1");
  const Reply refused{.error = Error::overloaded, .retry_after_ms = 7};
  for (const Reply& reply : {all_replies().back(), refused}) {
    const std::string whole = answer(reply);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const char other : {'\0', '\n', ' ', '"', '0', '9', '{', 'x', '\xff'}) {
        std::string bytes = whole;
        bytes[at] = other;
        const Decoded decoded = decode(codec, bytes);
        REQUIRE(decoded.consumed <= bytes.size());
        const bool is_reply =
            decoded.outcome == Outcome::reply || decoded.outcome == Outcome::last_reply;
        REQUIRE(decoded.outcome != Outcome::event);
        REQUIRE((!is_reply || decoded.consumed > 0));
        // What was a refusal is no good reply by that.
        REQUIRE((!is_reply || !reply.error || decoded.reply.error));
      }
    }
  }
}

TEST_CASE("A response beyond the limits breaks the stream before it is whole") {
  ClientCodec codec("h:1");
  const auto sized = [](std::size_t size) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  };
  CHECK(decode(codec, sized(ClientCodec::body_bytes_max)).outcome == Outcome::need_more);
  CHECK(decode(codec, sized(ClientCodec::body_bytes_max + 1)).outcome == Outcome::broken);
  const std::string endless = "HTTP/1.1 200 OK\r\n\r\n";
  const std::string most(ClientCodec::body_bytes_max, ' ');
  CHECK(decode(codec, endless + most).outcome == Outcome::need_more);
  CHECK(decode(codec, endless + most + ' ').outcome == Outcome::broken);
  const std::string field = "HTTP/1.1 200 OK\r\nX: ";
  const std::string long_field(ClientCodec::header_bytes_max, 'x');
  CHECK(decode(codec, field + long_field).outcome == Outcome::broken);
}

// ---- URLs ------------------------------------------------------------------------------------

TEST_CASE("What a URL of the gateway asks for and is not offered is refused") {
  for (const std::string text :
       {"http+rest://127.0.0.1:1/v1", "http+rest://127.0.0.1:1?codec=json",
        "http+rest://127.0.0.1:1?token", "http+rest://127.0.0.1:1?token=a%20b",
        "http+rest://127.0.0.1:1?token=a%0D%0AX:y", "http+rest://127.0.0.1:1?token=a&token=b",
        "http+rest:", "http://127.0.0.1:1"}) {
    INFO(text);
    const auto url = parse_url(text);
    REQUIRE(url);
    CHECK_THROWS_AS(connect(*url, {}), std::invalid_argument);
  }
  for (const std::string text :
       {"http+rest://127.0.0.1:1", "http+rest://127.0.0.1:1/", "http+rest://[::1]:1?token=a.b_c"}) {
    INFO(text);
    CHECK_THROWS_AS(connect(*parse_url(text), {}), std::system_error);  // Nobody listens there.
  }
  const auto codec = make_codec(*parse_url("http+rest://[::1]:1?token=abc"));
  CHECK(encode(*codec, {.operation = Operation::score, .session_id = "s"}) ==
        "GET /v1/sessions/s/score HTTP/1.1\r\nHost: [::1]:1\r\n"
        "Authorization: Bearer abc\r\n\r\n");
}

}  // namespace
}  // namespace rps::rpc::rest
