#include "stage3_grpc/rest/json_writer.hpp"

#include <cstdint>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "rps/v1/rps.pb.h"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/rest/protobuf_json.hpp"

namespace rps::rpc::rest {

namespace {

// The text of the message; protobuf must write the same.
std::string written(const google::protobuf::Message& message) {
  std::string text;
  append_json(message, text);
  CHECK(text == written_by_protobuf(message));
  return text;
}

std::string written(const std::string& text) {
  v1::ScoreRequest request;
  request.set_session_id(text);
  return written(request);
}

}  // namespace

TEST_CASE("A message is written with the proto's names, and with its zeros") {
  v1::PlayResponse response;
  response.set_opponent_move(v1::ROCK);
  response.set_result(v1::DRAW);
  response.set_reason("both threw \"rock\"");
  response.set_round(18'446'744'073'709'551'615U);
  CHECK(written(response) ==
        R"({"opponent_move":"ROCK","result":"DRAW","reason":"both threw \"rock\"",)"
        R"("round":"18446744073709551615"})");
  CHECK(written(v1::ScoreResponse()) == R"({"wins":"0","draws":"0","losses":"0","rounds":"0"})");
  std::string behind = "x";
  append_json(v1::Snapshot(), behind);
  CHECK(behind == "x{}");
}

TEST_CASE("A field that can be unset is left out, and written when it is set to zero") {
  v1::JoinRequest join;
  CHECK(written(join) == R"({"game_id":"","player_id":""})");
  join.set_best_of(0);
  CHECK(written(join) == R"({"game_id":"","player_id":"","best_of":0})");
  v1::DuelRequest duel;
  CHECK(written(duel) == "{}");
  duel.mutable_throw_();
  CHECK(written(duel) == R"({"throw":{"game_id":"","player_id":"","move":"MOVE_UNSPECIFIED"}})");
}

TEST_CASE("Repeated fields are arrays, also without elements") {
  v1::DuelState state;
  CHECK(written(state) ==
        R"({"game_id":"","best_of":0,"rounds":"0","players":[],"over":false,"winner":""})");
  state.add_players()->set_seat(4'294'967'295U);
  state.add_players()->mutable_score()->set_wins(1);
  state.set_over(true);
  CHECK(written(state).contains(R"("players":[{"seat":4294967295,)"));
}

TEST_CASE("A value of an enum that has no name is a number") {
  v1::PlayRequest request;
  request.set_player_move(static_cast<v1::Move>(-7));
  CHECK(written(request) == R"({"player_move":-7,"session_id":""})");
}

TEST_CASE("Characters that would end a string, a page or a line are escaped") {
  CHECK(written("\"\\/<&>'") == R"({"session_id":"\"\\/\u003c&\u003e'"})");
  CHECK(written(std::string("\0\x1f\x7f\b\f\n\r\t\v", 9)) ==
        R"({"session_id":"\u0000\u001f\u007f\b\f\n\r\t\u000b"})");
  CHECK(written("\u0085\u00a0\u00ad\u2028\ufeff\U000e0001") ==
        "{\"session_id\":\"\\u0085\u00a0\\u00ad\\u2028\\ufeff\\udb40\\udc01\"}");
}

TEST_CASE("Every character is written as protobuf writes it") {
  std::string text;
  for (unsigned block = 0; block < 0x110000; block += 0x100) {
    if (block >= 0xd800 && block < 0xe000) continue;
    text.clear();
    for (unsigned c = block; c < block + 0x100; ++c) {
      if (c < 0x80) {
        text += static_cast<char>(c);
        continue;
      }
      const auto add = [&text](unsigned byte) { text += static_cast<char>(byte); };
      if (c < 0x800) {
        add(0xc0 | c >> 6);
      } else if (c < 0x10000) {
        add(0xe0 | c >> 12);
        add(0x80 | (c >> 6 & 0x3f));
      } else {
        add(0xf0 | c >> 18);
        add(0x80 | (c >> 12 & 0x3f));
        add(0x80 | (c >> 6 & 0x3f));
      }
      add(0x80 | (c & 0x3f));
    }
    v1::ScoreRequest request;
    request.set_session_id(text);
    std::string ours;
    append_json(request, ours);
    INFO(block);
    REQUIRE(ours == written_by_protobuf(request));
  }
}

TEST_CASE("A byte that is not UTF-8 becomes a character that says so") {
  std::string text;
  append_json("a\xff\xc3(\xe2\x82", text);
  CHECK(text == R"("a\ufffd\ufffd(\ufffd\ufffd")");
}

TEST_CASE("A status is written with its details") {
  google::rpc::Status status;
  status.set_code(8);
  status.set_message("overloaded");
  CHECK(written(status) == R"({"code":8,"message":"overloaded","details":[]})");
  google::rpc::ErrorInfo info;
  info.set_reason("OVERLOADED");
  status.add_details()->PackFrom(info);
  CHECK(written(status).ends_with(
      R"([{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"OVERLOADED",)"
      R"("domain":"","metadata":{}}]})"));
  (*info.mutable_metadata())["retry_after_ms\n"] = "<5>";
  status.mutable_details(0)->PackFrom(info);
  google::rpc::RetryInfo retry;
  status.add_details()->PackFrom(retry);
  retry.mutable_retry_delay()->set_seconds(1);
  status.add_details()->PackFrom(retry);
  status.add_details();
  CHECK(written(status).ends_with(
      R"("metadata":{"retry_after_ms\n":"\u003c5\u003e"}},)"
      R"({"@type":"type.googleapis.com/google.rpc.RetryInfo"},)"
      R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retry_delay":"1s"},{}]})"));
}

TEST_CASE("A duration has as many digits as it needs") {
  const auto [seconds, nanos, text] =
      GENERATE(table<std::int64_t, int, std::string>({{0, 0, "0s"},
                                                      {1, 500'000'000, "1.500s"},
                                                      {0, 1'000, "0.000001s"},
                                                      {7, 1, "7.000000001s"},
                                                      {0, -10'000'000, "-0.010s"},
                                                      {-3, -999'999'999, "-3.999999999s"},
                                                      {315'576'000'000, 0, "315576000000s"}}));
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(seconds);
  retry.mutable_retry_delay()->set_nanos(nanos);
  CHECK(written(retry) == R"({"retry_delay":")" + text + "\"}");
}

}  // namespace rps::rpc::rest
