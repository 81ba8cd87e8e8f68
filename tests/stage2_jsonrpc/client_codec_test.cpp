#include "stage2_jsonrpc/client_codec.hpp"

#include <optional>
#include <string>
#include <string_view>

#include "core/judge.hpp"
#include "stage2_jsonrpc/frame.hpp"
#include "stage2_jsonrpc/reply.hpp"
#include "stage2_jsonrpc/scan.hpp"
#include "tests/catch.hpp"
#include "tests/stage2_jsonrpc/frames.hpp"

namespace rps::jsonrpc {
namespace {

using Outcome = runtime::WireCodec::Outcome;
using namespace std::literals;

std::string encode(const Command& command) {
  std::string out;
  ClientCodec().encode(42, command, out);
  return out;
}

struct Decoded {
  Outcome outcome = Outcome::broken;
  std::size_t consumed = 0;
  Reply reply;
  Event event;
};

Decoded decode(std::string_view bytes, std::optional<Operation> operation = Operation::play) {
  Decoded decoded;
  const runtime::WireCodec::Expected expected{.operation = operation.value_or(Operation::play),
                                              .sequence = 42};
  decoded.outcome = ClientCodec().decode(bytes, operation ? &expected : nullptr, decoded.consumed,
                                         decoded.reply, decoded.event);
  return decoded;
}

std::string reply_frame(const Reply& reply) {
  std::string payload;
  append_reply("42", reply, payload);
  return frame_of(payload, 0x02);
}

TEST_CASE("Every command is read by the server as it was sent, without a tree") {
  for (const Operation operation : all_operations) {
    for (const Move move : {Move::unspecified, Move::rock, Move::paper, Move::scissors}) {
      const Command command{.operation = operation,
                            .move = move,
                            .session_id = "s",
                            .game_id = "g",
                            .player_id = "p",
                            .best_of = 5};
      const std::string bytes = encode(command);
      const DecodedFrame frame = decode_frame(bytes);
      REQUIRE(frame.outcome == DecodedFrame::Outcome::frame);
      Calls calls;
      REQUIRE(scan(frame.payload, 1, calls));
      const Call& call = calls.list.front();
      CHECK(call.id == "42");
      CHECK(call.wants_reply);
      CHECK(call.command.operation == operation);
      for (const Param param : params_of(operation)) {
        if (param == Param::move) CHECK(call.command.move == move);
        if (param == Param::session_id) CHECK(call.command.session_id == "s");
        if (param == Param::game_id) CHECK(call.command.game_id == "g");
        if (param == Param::player_id) CHECK(call.command.player_id == "p");
        if (param == Param::best_of) CHECK(call.command.best_of == 5);
      }
    }
  }
}

TEST_CASE("Requests are spelled as the wire format says") {
  CHECK(encode({.move = Move::rock}) ==
        frame_of(R"({"jsonrpc":"2.0","id":42,"method":"play","params":{"player_move":"ROCK"}})"));
  CHECK(encode({.operation = Operation::score}) ==
        frame_of(R"({"jsonrpc":"2.0","id":42,"method":"score","params":{"session_id":""}})"));
  CHECK(encode({.operation = Operation::score, .session_id = "a\"\\\n"})
            .contains(R"("a\u0022\u005c\u000a")"));
}

TEST_CASE("A request too long for a frame is cut, and the next one is whole") {
  const std::string longest(100'000, 'x');
  std::string out;
  ClientCodec codec;
  codec.encode(1, {.operation = Operation::score, .session_id = longest}, out);
  CHECK(decode_frame(out).size == out.size());
  codec.encode(2, {.move = Move::rock}, out);
  CHECK(decode_frame(std::string_view(out).substr(decode_frame(out).size)).outcome ==
        DecodedFrame::Outcome::frame);
}

TEST_CASE("Every reply comes back as the server made it, cut anywhere") {
  const Reply replies[] = {
      {.operation = Operation::play,
       .opponent_move = Move::paper,
       .result = Result::lose,
       .reason = reason(Move::rock, Move::paper),
       .round = 18446744073709551615U,
       .score = {.wins = 1, .draws = 2, .losses = 18446744073709551612U}},
      {.operation = Operation::score, .score = {.wins = 1, .draws = 2, .losses = 3}},
      {.operation = Operation::join, .seat = Seat::second, .best_of = 99},
      {.operation = Operation::throw_move},
      {.operation = Operation::leave},
  };
  for (const Reply& reply : replies) {
    const std::string bytes = reply_frame(reply) + "rest";
    for (std::size_t size = 0; size < bytes.size() - 4; ++size) {
      CHECK(decode(std::string_view(bytes).substr(0, size), reply.operation).outcome ==
            Outcome::need_more);
    }
    const Decoded decoded = decode(bytes, reply.operation);
    REQUIRE(decoded.outcome == Outcome::reply);
    CHECK(decoded.consumed == bytes.size() - 4);
    CHECK(!decoded.reply.error);
    CHECK(decoded.reply.opponent_move == reply.opponent_move);
    CHECK(decoded.reply.result == reply.result);
    CHECK(decoded.reply.reason == reply.reason);
    CHECK(decoded.reply.round == reply.round);
    CHECK(decoded.reply.score == reply.score);
    CHECK(decoded.reply.seat == reply.seat);
    CHECK(decoded.reply.best_of == reply.best_of);
  }
}

TEST_CASE("Every error comes back by its name") {
  for (const Error error : all_errors) {
    const Decoded decoded =
        decode(reply_frame({.operation = Operation::play, .error = error, .retry_after_ms = 250}));
    REQUIRE(decoded.outcome == Outcome::reply);
    CHECK(decoded.reply.error == error);
    CHECK(decoded.reply.retry_after_ms == (error == Error::overloaded ? 250U : 0U));
  }
}

TEST_CASE("A foreign server's replies are understood, whatever their order") {
  const Decoded decoded = decode(frame_of(
      R"( {"result": {"score": {"losses": 3, "wins": 1, "draws": 2}, "round": 6, "x": [],
          "reason": "paper covers rock", "result": "LOSE", "opponent_move": "PAPER"},
          "id": 42, "jsonrpc": "2.0"} )",
      0x02));
  REQUIRE(decoded.outcome == Outcome::reply);
  CHECK(decoded.reply.opponent_move == Move::paper);
  CHECK(decoded.reply.result == Result::lose);
  CHECK(decoded.reply.reason == "paper covers rock");
  CHECK(decoded.reply.round == 6);
  CHECK(decoded.reply.score == Score{.wins = 1, .draws = 2, .losses = 3});

  const Decoded failed =
      decode(frame_of(R"({"jsonrpc":"2.0","error":{"code":-32601,"message":"?"},"id":42})", 0x02));
  REQUIRE(failed.outcome == Outcome::reply);
  CHECK(failed.reply.error == Error::unknown_operation);
}

TEST_CASE("An error without an id answers the oldest call") {
  const Decoded decoded =
      decode(frame_of(R"({"jsonrpc":"2.0","id":null,)"
                      R"("error":{"code":-32003,"message":"?","data":{"error":"too_large"}}})",
                      0x02));
  REQUIRE(decoded.outcome == Outcome::reply);
  CHECK(decoded.reply.error == Error::too_large);
}

TEST_CASE("What is no answer to the expected call breaks the stream") {
  const std::string good = reply_frame({.operation = Operation::throw_move});
  CHECK(decode(good, std::nullopt).outcome == Outcome::broken);
  for (const std::string& bytes :
       {"HTTP/1.1 400"s, frame_of("{}", 0x01), frame_of("{}", 0x12), frame_of("", 0x02),
        frame_of("[]", 0x02), frame_of(R"({"jsonrpc":"2.0","id":41,"result":{}})", 0x02),
        frame_of(R"({"jsonrpc":"2.0","id":"42","result":{}})", 0x02),
        frame_of(R"({"jsonrpc":"2.0","id":null,"result":{}})", 0x02),
        frame_of(R"({"jsonrpc":"2.0","id":42})", 0x02),
        frame_of(R"({"jsonrpc":"2.0","id":42,"result":{"opponent_move":"LIZARD"}})", 0x02),
        frame_of(R"({"jsonrpc":"2.0","method":"surprise","params":{}})", 0x03),
        frame_of(R"({"jsonrpc":"2.0","method":"game_over","params":{"game_id":"a b"}})", 0x03)}) {
    CHECK(decode(bytes).outcome == Outcome::broken);
  }
}

TEST_CASE("Every event comes back as the server told it") {
  for (const EventType type :
       {EventType::opponent_joined, EventType::opponent_ready, EventType::round_over,
        EventType::game_over, EventType::opponent_left}) {
    Event event{.type = type, .game_id = Id("g\"\\"), .player_id = Id("p")};
    if (type == EventType::round_over) {
      event.player_move = Move::rock;
      event.opponent_move = Move::paper;
      event.result = Result::lose;
      event.round = 3;
    }
    if (type == EventType::game_over) event.winner = Id("q");
    if (type == EventType::game_over || type == EventType::round_over) {
      event.score = {.wins = 1, .draws = 2, .losses = 3};
    }
    std::string payload;
    append_event(event, payload);
    const Decoded decoded = decode(frame_of(payload, 0x03), std::nullopt);
    REQUIRE(decoded.outcome == Outcome::event);
    CHECK(decoded.event.type == event.type);
    CHECK(decoded.event.game_id == event.game_id);
    CHECK(decoded.event.player_id == event.player_id);
    CHECK(decoded.event.player_move == event.player_move);
    CHECK(decoded.event.opponent_move == event.opponent_move);
    CHECK(decoded.event.result == event.result);
    CHECK(decoded.event.round == event.round);
    CHECK(decoded.event.score == event.score);
    CHECK(decoded.event.winner == event.winner);
  }
}

}  // namespace
}  // namespace rps::jsonrpc
