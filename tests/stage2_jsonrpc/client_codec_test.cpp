// Commands to frames and frames to replies, in each codec, against the server's side of the same.
#include "stage2_jsonrpc/client_codec.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/frame.hpp"
#include "stage2_jsonrpc/scan.hpp"
#include "tests/catch.hpp"
#include "tests/stage2_jsonrpc/contract_values.hpp"
#include "tests/stage2_jsonrpc/decoded.hpp"
#include "tests/stage2_jsonrpc/frames.hpp"

namespace rps::jsonrpc {
namespace {

using Json = nlohmann::json;
using Outcome = net::WireCodec::Outcome;
using namespace std::literals;

constexpr const Format* formats[] = {&json_format, &message_pack_format, &fixed_layout_format};

// The id 42 as each format spells it.
std::string_view id_42(Codec codec) {
  switch (codec) {
    case Codec::json: return "42";
    case Codec::message_pack: return "\x2a";
    case Codec::fixed_layout: return "\0\0\0\0\0\0\0\x2a"sv;
  }
  return "";
}

std::string encode(const Command& command, Codec codec = Codec::json) {
  std::string out;
  ClientCodec(codec).encode(42, command, out);
  return out;
}

Decoded decode(std::string_view bytes, std::optional<Operation> operation = Operation::play,
               Codec codec = Codec::json) {
  ClientCodec client(codec);
  return decode(client, bytes, operation);
}

unsigned char type_byte(FrameType type, Codec codec) {
  return static_cast<unsigned char>(static_cast<unsigned>(codec) << 4 |
                                    static_cast<unsigned>(type));
}

std::string reply_frame(const Reply& reply, const Format& format = json_format) {
  std::string payload;
  format.encode_reply(id_42(format.codec), reply, payload);
  return frame_of(payload, type_byte(FrameType::response, format.codec));
}

std::string event_frame(const Event& event, const Format& format) {
  std::string payload;
  format.encode_event(event, payload);
  return frame_of(payload, type_byte(FrameType::notification, format.codec));
}

std::string packed_frame(const Json& message, FrameType type = FrameType::response) {
  std::string payload;
  Json::to_msgpack(message, nlohmann::detail::output_adapter<char>(payload));
  return frame_of(payload, type_byte(type, Codec::message_pack));
}

TEST_CASE("Every command is read by the server as it was sent, in every codec") {
  for (const Format* const format : formats) {
    for (const Command& command : all_commands()) {
      const std::string bytes = encode(command, format->codec);
      const DecodedFrame frame = decode_frame(bytes);
      REQUIRE(frame.outcome == DecodedFrame::Outcome::frame);
      CHECK(frame.type == FrameType::request);
      CHECK(frame.codec == format->codec);
      CHECK(frame.size == bytes.size());
      Calls calls;
      format->decode(frame.payload, 1, calls);
      REQUIRE(calls.list.size() == 1);
      const Call& call = calls.list.front();
      CHECK(!call.failure);
      CHECK(call.id == id_42(format->codec));
      CHECK(call.wants_reply);
      check_same_command(call.command, command);
    }
  }
}

TEST_CASE("What our client says in JSON needs no tree") {
  for (Command command : all_commands()) {
    command.player_id = "p";
    const std::string bytes = encode(command);
    Calls calls;
    CHECK(scan(decode_frame(bytes).payload, 1, calls));
  }
}

TEST_CASE("Requests are spelled as the wire format says") {
  CHECK(encode({.move = Move::rock}) ==
        frame_of(R"({"jsonrpc":"2.0","id":42,"method":"play","params":{"player_move":"ROCK"}})"));
  CHECK(encode({.operation = Operation::score}) ==
        frame_of(R"({"jsonrpc":"2.0","id":42,"method":"score","params":{"session_id":""}})"));
  CHECK(encode({.operation = Operation::score, .session_id = "a\"\\\n"})
            .contains(R"("a\u0022\u005c\u000a")"));
  CHECK(encode({.move = Move::rock, .session_id = "s1"}, Codec::fixed_layout) ==
        frame_of(from_hex("01 01 01 02 00 00000000 000000000000002a 7331"), 0x21));
  const Json play{{"jsonrpc", "2.0"},
                  {"id", 42},
                  {"method", "play"},
                  {"params", {{"player_move", "ROCK"}, {"session_id", "s1"}}}};
  const std::string packed = encode({.move = Move::rock, .session_id = "s1"}, Codec::message_pack);
  CHECK(Json::from_msgpack(packed.substr(frame_header_bytes)) == play);
  CHECK(packed.size() == packed_frame(play).size());
}

TEST_CASE("A request too long for a frame is cut, refused, and the next one is whole") {
  const std::string longest(100'000, 'x');
  for (const Format* const format : formats) {
    std::string out;
    ClientCodec codec(format->codec);
    codec.encode(1, {.operation = Operation::score, .session_id = longest}, out);
    const DecodedFrame frame = decode_frame(out);
    CHECK(frame.size == out.size());
    Calls calls;
    format->decode(frame.payload, 1, calls);
    const Call& call = calls.list.front();
    CHECK((call.failure || call.command.session_id.size() > rps::limits::id_bytes_max));
    const std::size_t first = out.size();
    codec.encode(2, {.move = Move::rock}, out);
    CHECK(decode_frame(std::string_view(out).substr(first)).outcome ==
          DecodedFrame::Outcome::frame);
  }
}

TEST_CASE("Every reply comes back as the server made it, cut anywhere") {
  for (const Format* const format : formats) {
    for (const Reply& reply : all_replies()) {
      const std::string bytes = reply_frame(reply, *format);
      for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK(decode(std::string_view(bytes).substr(0, size), reply.operation, format->codec)
                  .outcome == Outcome::need_more);
      }
      const Decoded decoded = decode(bytes + "rest", reply.operation, format->codec);
      REQUIRE(decoded.outcome == Outcome::reply);
      CHECK(decoded.consumed == bytes.size());
      check_same_reply(decoded.reply, reply);
    }
  }
}

TEST_CASE("Every error comes back by its name") {
  for (const Format* const format : formats) {
    for (const Operation operation : all_operations) {
      for (const Error error : all_errors) {
        const std::string bytes =
            reply_frame({.operation = operation, .error = error, .retry_after_ms = 250}, *format);
        const Decoded decoded = decode(bytes, operation, format->codec);
        REQUIRE(decoded.outcome == Outcome::reply);
        CHECK(decoded.reply.error == error);
        CHECK(decoded.reply.retry_after_ms == (error == Error::overloaded ? 250U : 0U));
      }
    }
  }
}

TEST_CASE("Every event comes back as the server told it, cut anywhere") {
  for (const Format* const format : formats) {
    for (const Event& event : all_events()) {
      const std::string bytes = event_frame(event, *format);
      for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK(
            decode(std::string_view(bytes).substr(0, size), std::nullopt, format->codec).outcome ==
            Outcome::need_more);
      }
      const Decoded decoded = decode(bytes + "rest", std::nullopt, format->codec);
      REQUIRE(decoded.outcome == Outcome::event);
      CHECK(decoded.consumed == bytes.size());
      check_same_event(decoded.event, event);
    }
  }
}

TEST_CASE("What a foreign server may leave out of an event is not missed") {
  const Decoded decoded =
      decode(packed_frame({{"method", "game_over"},
                           {"params", {{"player_id", "p"}, {"x", {1, 2}}, {"game_id", "g"}}}},
                          FrameType::notification),
             std::nullopt, Codec::message_pack);
  REQUIRE(decoded.outcome == Outcome::event);
  CHECK(decoded.event.type == EventType::game_over);
  CHECK(decoded.event.winner.empty());
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

TEST_CASE("A foreign server's replies in MessagePack are understood, whatever their order") {
  const Decoded decoded =
      decode(packed_frame({{"a", {{"deep", {1.5, nullptr, true}}}},
                           {"id", 42},
                           {"jsonrpc", "2.0"},
                           {"result",
                            {{"opponent_move", "PAPER"},
                             {"reason", "paper covers rock"},
                             {"result", "LOSE"},
                             {"round", 6},
                             {"score", {{"losses", 3}, {"wins", 1}, {"draws", 2}, {"x", {1}}}},
                             {"x", Json::array()}}}}),
             Operation::play, Codec::message_pack);
  REQUIRE(decoded.outcome == Outcome::reply);
  check_same_reply(decoded.reply, {.operation = Operation::play,
                                   .opponent_move = Move::paper,
                                   .result = Result::lose,
                                   .reason = "paper covers rock",
                                   .round = 6,
                                   .score = {.wins = 1, .draws = 2, .losses = 3}});
  for (const auto& [code, error] :
       {std::pair(-32601, Error::unknown_operation), std::pair(-32700, Error::malformed_request),
        std::pair(-32000, Error::overloaded), std::pair(-32006, Error::unauthenticated),
        std::pair(-32007, Error::permission_denied), std::pair(-31999, Error::internal),
        std::pair(1, Error::internal), std::pair(-5, Error::internal)}) {
    const Decoded failed =
        decode(packed_frame({{"error", {{"code", code}, {"data", "?"}, {"message", "?"}}},
                             {"id", 42},
                             {"jsonrpc", "2.0"}}),
               Operation::play, Codec::message_pack);
    REQUIRE(failed.outcome == Outcome::reply);
    CHECK(failed.reply.error == error);
  }
}

TEST_CASE("A foreign server may spell integers as floating-point numbers") {
  const std::string reply =
      R"({"jsonrpc":"2.0","id":42.0,"result":{"opponent_move":"PAPER","result":"LOSE",
          "round":6.0,"score":{"wins":1e0,"draws":2.0,"losses":30e-1}}})";
  const std::string broken =
      R"({"jsonrpc":"2.0","id":42,"result":{"opponent_move":"PAPER","result":"LOSE",
          "round":6.5,"score":{"wins":-1.0,"draws":1e300,"losses":0.5}}})";
  const std::string refusal =
      R"({"jsonrpc":"2.0","id":42.0,"error":{"code":-32000.0,"message":"?",
          "data":{"retry_after_ms":50.0}}})";
  for (const auto& [codec, decode_it] :
       {std::pair(
            Codec::json, +[](const std::string& text) { return decode(frame_of(text, 0x02)); }),
        std::pair(
            Codec::message_pack, +[](const std::string& text) {
              return decode(packed_frame(Json::parse(text)), Operation::play, Codec::message_pack);
            })}) {
    CAPTURE(codec);
    const Decoded good = decode_it(reply);
    REQUIRE(good.outcome == Outcome::reply);
    CHECK(good.reply.round == 6);
    CHECK(good.reply.score == Score{.wins = 1, .draws = 2, .losses = 3});
    const Decoded none = decode_it(broken);
    REQUIRE(none.outcome == Outcome::reply);
    CHECK(none.reply.round == 0);
    CHECK(none.reply.score == Score{});
    const Decoded refused = decode_it(refusal);
    REQUIRE(refused.outcome == Outcome::reply);
    CHECK(refused.reply.error == Error::overloaded);
    CHECK(refused.reply.retry_after_ms == 50);
  }
}

TEST_CASE("An error without an id answers the oldest call in every codec") {
  for (const Format* const format : formats) {
    std::string payload;
    format->encode_failure(
        format->null_id,
        {.code = Code::too_large, .error = Error::too_large, .detail = explain(Error::too_large)},
        payload);
    const Decoded decoded = decode(frame_of(payload, type_byte(FrameType::response, format->codec)),
                                   Operation::score, format->codec);
    REQUIRE(decoded.outcome == Outcome::reply);
    CHECK(decoded.reply.error == Error::too_large);
  }
}

TEST_CASE("What is no frame to the server is refused in JSON, and understood in every codec") {
  std::string payload;
  json_format.encode_failure(
      "null", {.code = Code::too_large, .error = Error::too_large, .detail = "?"}, payload);
  for (const Format* const format : formats) {
    const Decoded decoded = decode(frame_of(payload, 0x02), Operation::play, format->codec);
    REQUIRE(decoded.outcome == Outcome::reply);
    CHECK(decoded.reply.error == Error::too_large);
  }
}

TEST_CASE("A status that this client does not know is an error all the same") {
  std::string bytes = reply_frame({.operation = Operation::throw_move}, fixed_layout_format);
  bytes[frame_header_bytes + 9] = '\x7f';
  const Decoded decoded = decode(bytes, Operation::throw_move, Codec::fixed_layout);
  REQUIRE(decoded.outcome == Outcome::reply);
  CHECK(decoded.reply.error == Error::internal);
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

TEST_CASE("What is no answer to the expected call breaks the stream in MessagePack") {
  const Json good{{"id", 42}, {"result", {{"seat", 1}, {"best_of", 3}}}};
  REQUIRE(decode(packed_frame(good), Operation::join, Codec::message_pack).outcome ==
          Outcome::reply);
  std::vector<std::string> table{frame_of("", 0x12),
                                 frame_of("\xc1", 0x12),
                                 frame_of("\xc0", 0x12),
                                 frame_of("{}", 0x22),
                                 packed_frame(Json::array()),
                                 packed_frame(Json::object()),
                                 packed_frame(good, FrameType::request),
                                 packed_frame(good, FrameType::notification)};
  for (const auto& [name, value] :
       {std::pair("id", Json(41)), std::pair("id", Json("42")), std::pair("id", Json(nullptr)),
        std::pair("id", Json(-42)), std::pair("result", Json(1)),
        std::pair("result", Json(nullptr)), std::pair("result", Json({{"seat", 3}}))}) {
    Json message = good;
    message[name] = value;
    table.push_back(packed_frame(message));
  }
  for (const std::string& bytes : table) {
    CHECK(decode(bytes, Operation::join, Codec::message_pack).outcome == Outcome::broken);
  }
  const Json play{{"id", 42}, {"result", {{"opponent_move", "LIZARD"}, {"result", "WIN"}}}};
  CHECK(decode(packed_frame(play), Operation::play, Codec::message_pack).outcome ==
        Outcome::broken);
  for (const Json& event :
       {Json{{"method", "surprise"}, {"params", {{"game_id", "g"}, {"player_id", "p"}}}},
        Json{{"method", "game_over"}, {"params", {{"game_id", "a b"}, {"player_id", "p"}}}},
        Json{{"method", "game_over"}, {"params", {{"game_id", "g"}}}},
        Json{{"method", "game_over"}, {"params", {1}}}, Json{{"method", "game_over"}}}) {
    CHECK(decode(packed_frame(event, FrameType::notification), std::nullopt, Codec::message_pack)
              .outcome == Outcome::broken);
  }
}

TEST_CASE("What is no answer to the expected call breaks the stream in the fixed layout") {
  const std::string good = reply_frame(all_replies().back(), fixed_layout_format);
  const auto outcome_with = [&](std::size_t field, int value, Operation operation) {
    std::string bytes = good;
    bytes[frame_header_bytes + field] = static_cast<char>(value);
    return decode(bytes, operation, Codec::fixed_layout).outcome;
  };
  REQUIRE(outcome_with(0, 0, Operation::play) == Outcome::reply);
  CHECK(outcome_with(7, 41, Operation::play) == Outcome::broken);  // The id.
  CHECK(outcome_with(8, 2, Operation::play) == Outcome::broken);   // The operation.
  CHECK(outcome_with(0, 0, Operation::score) == Outcome::broken);  // Not what was asked.
  CHECK(outcome_with(10, 0, Operation::play) == Outcome::broken);  // No move.
  CHECK(outcome_with(10, 4, Operation::play) == Outcome::broken);
  CHECK(outcome_with(11, 0, Operation::play) == Outcome::broken);  // No result.
  CHECK(outcome_with(11, 4, Operation::play) == Outcome::broken);
  CHECK(outcome_with(8, 0, Operation::play) == Outcome::broken);  // Only errors may be nameless.
  std::string third = reply_frame({.operation = Operation::join}, fixed_layout_format);
  third[frame_header_bytes + 13] = 3;
  CHECK(decode(third, Operation::join, Codec::fixed_layout).outcome == Outcome::broken);
  const std::string payload = good.substr(frame_header_bytes);
  CHECK(decode(frame_of(payload + '\0', 0x22), Operation::play, Codec::fixed_layout).outcome ==
        Outcome::broken);
  CHECK(decode(frame_of(payload.substr(1), 0x22), Operation::play, Codec::fixed_layout).outcome ==
        Outcome::broken);

  const std::string event = event_frame(all_events().front(), fixed_layout_format);
  for (const auto& [field, value] : {std::pair(0, 0), std::pair(0, 6), std::pair(4, 0),
                                     std::pair(5, 0), std::pair(6, 1), std::pair(39, 32)}) {
    std::string bytes = event;
    bytes[frame_header_bytes + static_cast<std::size_t>(field)] = static_cast<char>(value);
    CHECK(decode(bytes, std::nullopt, Codec::fixed_layout).outcome == Outcome::broken);
  }
}

}  // namespace
}  // namespace rps::jsonrpc
