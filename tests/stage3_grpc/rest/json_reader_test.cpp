#include "stage3_grpc/rest/json_reader.hpp"

#include <string>
#include <vector>

#include <google/protobuf/wrappers.pb.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "rps/v1/rps.pb.h"
#include "stage3_grpc/rest/limits.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/rest/protobuf_json.hpp"

namespace rps::rpc::rest {

namespace {

// What the text says; protobuf must say the same.
template <class Message>
Message read(std::string_view text) {
  INFO(text);
  Message message;
  const auto fault = read_json(text, message);
  CHECK(fault == std::nullopt);
  Message expected;
  CHECK(read_by_protobuf(text, expected));
  CHECK(message.SerializeAsString() == expected.SerializeAsString());
  return message;
}

// Why the text is refused.
template <class Message>
std::optional<JsonFault> refusal(std::string_view text) {
  Message message;
  return read_json(text, message);
}

template <class Message>
bool is_refused_by_protobuf(std::string_view text) {
  Message message;
  return !read_by_protobuf(text, message);
}

std::string nested(std::size_t depth, char opening, const std::string& innermost, char closing) {
  return std::string(depth, opening) + innermost + std::string(depth, closing);
}

// Objects inside each other, with the root.
std::string deep_objects(std::size_t depth) {
  std::string text = "{}";
  for (std::size_t i = 1; i < depth; ++i) text = R"({"a":)" + text + "}";
  return text;
}

}  // namespace

TEST_CASE("A field is found by its name in the proto file and by its camelCase") {
  const auto* const text = GENERATE(
      R"({"player_move":"PAPER","session_id":"s"})", R"({"playerMove":"PAPER","sessionId":"s"})",
      R"({"session_id":"s","playerMove":"PAPER"})",
      " \t\r\n{ \"player_move\" : \"PAPER\" , \"session_id\" : \"s\" } ",
      R"({"player\u005fmove":"P\u0041PER","session_id":"\u0073"})");
  const auto request = read<v1::PlayRequest>(text);
  CHECK(request.player_move() == v1::PAPER);
  CHECK(request.session_id() == "s");
}

TEST_CASE("Fields and names of enum values that are not known are ignored") {
  const auto* const text = GENERATE(
      R"({"session_id":"s","more":[1,-2.5e+3,{"a":[null,true,false,"\u00e9",{}]},[],[[]]]})",
      R"({"Session_Id":1,"player.move":{},"session_id":"s"})",
      R"({"player_move":"LIZARD","session_id":"s"})", R"({"player_move":"rock","session_id":"s"})",
      R"({"player_move":"","session_id":"s"})", R"({"player_move":"4","session_id":"s"})");
  const auto request = read<v1::PlayRequest>(text);
  CHECK(request.player_move() == v1::MOVE_UNSPECIFIED);
  CHECK(request.session_id() == "s");
}

TEST_CASE("An enum value is a name or a number") {
  const auto* const text =
      GENERATE("\"SCISSORS\"", "3", "\"3\"", "\"+3\"", "\"003\"", "3.0", "30e-1", "0.3E+1");
  CHECK(read<v1::PlayRequest>(std::string(R"({"player_move":)") + text + "}").player_move() ==
        v1::SCISSORS);
}

TEST_CASE("A number of an enum that has no name is kept") {
  CHECK(read<v1::PlayRequest>(R"({"player_move":-7})").player_move() == static_cast<v1::Move>(-7));
}

TEST_CASE("A whole number may be spelled in several ways") {
  const auto [text, number] = GENERATE(table<const char*, std::uint64_t>(
      {{"0", 0U},
       {"-0", 0U},
       {"-0.0e-5", 0U},
       {"1e2", 100U},
       {"100.000", 100U},
       {"\"100\"", 100U},
       {"\"+0100\"", 100U},
       {"9007199254740993", 9'007'199'254'740'993U},
       {"18446744073709551615", 18'446'744'073'709'551'615U},
       {"\"18446744073709551615\"", 18'446'744'073'709'551'615U}}));
  CHECK(read<v1::ScoreResponse>(std::string(R"({"wins":)") + text + "}").wins() == number);
}

TEST_CASE("A number that the field cannot hold is refused") {
  const auto* const wide =
      GENERATE("1.5", "-1", "18446744073709551616", "1e20", "\"-1\"", "\"\"", "\"1e2\"", "\"1.0\"",
               "\" 1\"", "\"1 \"", "\"+\"", "\"+-1\"", "\"0x1\"", "\"18446744073709551616\"",
               "\"\\n1\"", "\"1\\u0000\"");
  INFO(wide);
  const std::string score = std::string(R"({"wins":)") + wide + "}";
  CHECK(refusal<v1::ScoreResponse>(score) == JsonFault::wrong_number);
  CHECK(is_refused_by_protobuf<v1::ScoreResponse>(score));
  const auto* const narrow = GENERATE("4294967296", "-1", "1e10", "\"4294967296\"", "0.1");
  const std::string join = std::string(R"({"best_of":)") + narrow + "}";
  CHECK(refusal<v1::JoinRequest>(join) == JsonFault::wrong_number);
  CHECK(is_refused_by_protobuf<v1::JoinRequest>(join));
  for (const char* const move : {"2147483648", "-2147483649", "0.5"}) {
    const std::string play = std::string(R"({"player_move":)") + move + "}";
    CHECK(refusal<v1::PlayRequest>(play) == JsonFault::wrong_number);
    CHECK(is_refused_by_protobuf<v1::PlayRequest>(play));
  }
}

TEST_CASE("An optional number that is given is set, even to zero") {
  CHECK_FALSE(read<v1::JoinRequest>("{}").has_best_of());
  CHECK_FALSE(read<v1::JoinRequest>(R"({"best_of":null})").has_best_of());
  CHECK(read<v1::JoinRequest>(R"({"best_of":0})").has_best_of());
  CHECK(read<v1::JoinRequest>(R"({"bestOf":4294967295})").best_of() == 4'294'967'295U);
}

TEST_CASE("Null leaves a field unset") {
  const auto duel = read<v1::DuelRequest>(R"({"join":null,"throw":{"game_id":null}})");
  CHECK_FALSE(duel.has_join());
  CHECK(duel.has_throw_());
  read<v1::WatchResponse>(R"({"state":{"players":null,"over":null,"rounds":null}})");
}

TEST_CASE("Messages and repeated fields are read as deep as they are") {
  const auto shown = read<v1::WatchResponse>(
      R"({"state":{"game_id":"g","players":[{"seat":1,"score":{"wins":"7"}},{"seat":2}],)"
      R"("over":true},"round_over":{"first_move":"ROCK"}})");
  REQUIRE(shown.state().players_size() == 2);
  CHECK(shown.state().players(0).score().wins() == 7);
  CHECK(shown.state().players(1).seat() == 2);
  CHECK(shown.state().over());
  CHECK(shown.round_over().first_move() == v1::ROCK);
  CHECK(read<v1::WatchResponse>(R"({"snapshot":{}})").has_snapshot());
  CHECK(read<v1::WatchResponse>(R"({"state":{"players":[]}})").has_state());
}

TEST_CASE("Strings may have escapes, and any character of Unicode") {
  const auto [text, value] = GENERATE(table<std::string, std::string>(
      {{R"(a\"\\\/\b\f\n\r\tz)", "a\"\\/\b\f\n\r\tz"},
       {R"(\u0041\u00e9\u20AC\uD83D\uDE00.)", "A\u00e9\u20ac\U0001f600."},
       {R"(x\u0000y)", std::string("x\0y", 3)},
       {R"(\ud800\udc00\udbff\udfff)", "\U00010000\U0010ffff"},
       {"\u00e9\u20ac\U0001f600\x7f", "\u00e9\u20ac\U0001f600\x7f"},
       {"", ""}}));
  CHECK(read<v1::PlayRequest>(R"({"session_id":")" + text + "\"}").session_id() == value);
}

TEST_CASE("What is no JSON is refused") {
  const auto* const text = GENERATE(
      "", " ", "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{,}",
      "{} {}", "{}x", "{\"a\":[1 2]}", "{\"a\":[1,}", "{\"a\":nul}", "{\"a\":truefalse}",
      "{\"a\":+1}", "{\"a\":01}", "{\"a\":-}", "{\"a\":.5}", "{\"a\":1e}", "{\"a\":0x1}",
      "{\"a\":NaN}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\\ud800\"}",
      "{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"\\udc00\"}", "{\"a\":\"", "{\"a\":\"\\", "{1:2}",
      "{\"a\":\"\xff\"}", "{\"\xc0\x80\":1}", "\xef\xbb\xbf{}", "{} // more");
  INFO(text);
  CHECK(refusal<v1::PlayRequest>(text) == JsonFault::no_json);
  CHECK(is_refused_by_protobuf<v1::PlayRequest>(text));
}

TEST_CASE("What only protobuf takes for JSON is refused") {
  const auto* const text = GENERATE("{'a':1}", "{\"a\":'b'}", "{a:1}", "{\"a\":1,}", "{\"a\":[1,]}",
                                    "{\"a\":1.}", "{\"a\":-.5}", "{\"a\":\"\n\"}",
                                    "{\"a\":\"\\x\"}", "{\"a\":\"\\'\"}", "\f{}", "{\v}");
  INFO(text);
  CHECK(refusal<v1::PlayRequest>(text) == JsonFault::no_json);
  CHECK_FALSE(is_refused_by_protobuf<v1::PlayRequest>(text));
}

TEST_CASE("A value of another type is refused") {
  const auto* const value = GENERATE("1", "true", "{}", "[]", "[\"s\"]");
  const std::string text = std::string(R"({"session_id":)") + value + "}";
  INFO(text);
  CHECK(refusal<v1::PlayRequest>(text) == JsonFault::wrong_type);
  CHECK(is_refused_by_protobuf<v1::PlayRequest>(text));
  for (const char* const other :
       {R"({"player_move":true})", R"({"player_move":{}})", R"({"player_move":[]})"}) {
    CHECK(refusal<v1::PlayRequest>(other) == JsonFault::wrong_type);
    CHECK(is_refused_by_protobuf<v1::PlayRequest>(other));
  }
  for (const char* const other : {R"({"state":"g"})", R"({"state":[]})", R"({"state":{"over":1}})",
                                  R"({"state":{"rounds":false}})", "[]", "1", "null", "\"a\""}) {
    INFO(other);
    CHECK(refusal<v1::WatchResponse>(other) == JsonFault::wrong_type);
    CHECK(is_refused_by_protobuf<v1::WatchResponse>(other));
  }
}

TEST_CASE("Two fields of a oneof are refused") {
  const std::string text = R"({"join":{},"throw":{}})";
  CHECK(refusal<v1::DuelRequest>(text) == JsonFault::oneof_given_twice);
  CHECK(is_refused_by_protobuf<v1::DuelRequest>(text));
}

// Each of these is a decision: protobuf takes the text.
TEST_CASE("More than protobuf refuses is refused") {
  const auto check = [](auto message, const std::string& text, JsonFault fault) {
    INFO(text);
    CHECK(read_by_protobuf(text, message));
    message.Clear();
    CHECK(read_json(text, message) == fault);
  };
  for (const char* const text :
       {R"({"session_id":"a","session_id":"b"})", R"({"session_id":"a","sessionId":"b"})",
        R"({"session_id":null,"session_id":"b"})", R"({"player_move":1,"player_move":"X"})"}) {
    check(v1::PlayRequest(), text, JsonFault::given_twice);
  }
  check(v1::WatchResponse(), R"({"state":{},"state":{}})", JsonFault::given_twice);
  check(v1::WatchResponse(), R"({"state":{"over":"yes"}})", JsonFault::text_for_boolean);
  check(v1::WatchResponse(), R"({"state":{"players":{}}})", JsonFault::no_array);
  check(v1::WatchResponse(), R"({"state":{"players":[null]}})", JsonFault::no_element);
  check(v1::WatchResponse(), R"({"state":{"players":[[{}]]}})", JsonFault::no_element);
  check(v1::WatchResponse(), R"({"state":{"players":[{"":{}}]}})", JsonFault::empty_name);
  check(v1::PlayRequest(), R"({"a":1e-400})", JsonFault::number_range);
  check(v1::PlayRequest(), R"({"player_move":1e-400})", JsonFault::number_range);
  CHECK(refusal<v1::PlayRequest>(R"({"":1})") == JsonFault::empty_name);
  CHECK(refusal<v1::PlayRequest>(R"({"a":1e400})") == JsonFault::number_range);
  CHECK(refusal<v1::PlayRequest>("{\"a\":" + std::string(400, '9') + "}") ==
        JsonFault::number_range);
}

// Members that are not known are not compared with one another.
TEST_CASE("A name that is not known may be given twice") {
  read<v1::PlayRequest>(R"({"a":1,"a":2,"b":{"":1,"c":2,"c":3}})");
}

TEST_CASE("Objects and arrays have a greatest depth") {
  read<v1::PlayRequest>(deep_objects(limits::json_depth_max));
  CHECK(refusal<v1::PlayRequest>(deep_objects(limits::json_depth_max + 1)) == JsonFault::too_deep);
  CHECK(is_refused_by_protobuf<v1::PlayRequest>(deep_objects(limits::json_depth_max + 1)));
  const auto arrays = [](std::size_t depth) {
    return "{\"a\":" + nested(depth, '[', "", ']') + "}";
  };
  read<v1::PlayRequest>(arrays(limits::json_depth_max - 1));
  CHECK(refusal<v1::PlayRequest>(arrays(limits::json_depth_max)) == JsonFault::too_deep);
  CHECK(refusal<v1::PlayRequest>(arrays(30'000)) == JsonFault::too_deep);
  CHECK(refusal<v1::PlayRequest>("{\"a\":" + std::string(64'000, '[')) == JsonFault::too_deep);
  std::string wide = R"({"a":[[])";
  for (std::size_t i = 0; i < 2 * limits::json_depth_max; ++i) wide += ",[{}]";
  read<v1::PlayRequest>(wide + "]}");
}

TEST_CASE("A field that JSON is not known for is found") {
  const auto* const file = v1::PlayRequest::descriptor()->file();
  for (int i = 0; i < file->message_type_count(); ++i) {
    INFO(file->message_type(i)->name());
    CHECK(field_without_json(*file->message_type(i)) == nullptr);
  }
  const auto name = [](const google::protobuf::Descriptor& message) {
    const auto* const field = field_without_json(message);
    return field == nullptr ? "" : field->full_name();
  };
  CHECK(name(*google::rpc::Status::descriptor()) == "google.rpc.Status.details");
  CHECK(name(*google::rpc::ErrorInfo::descriptor()) == "google.rpc.ErrorInfo.metadata");
  CHECK(name(*google::protobuf::DoubleValue::descriptor()) == "google.protobuf.DoubleValue.value");
  CHECK(name(*google::protobuf::FloatValue::descriptor()) == "google.protobuf.FloatValue.value");
  CHECK(name(*google::protobuf::BytesValue::descriptor()) == "google.protobuf.BytesValue.value");
  CHECK(name(*google::protobuf::Int64Value::descriptor()).empty());
}

TEST_CASE("Each width of an integer is read") {
  CHECK(read<google::rpc::Status>(R"({"code":-2147483648})").code() == -2'147'483'648);
  for (const char* const text : {"2147483648", "-2147483649"}) {
    CHECK(refusal<google::rpc::Status>(std::string(R"({"code":)") + text + "}") ==
          JsonFault::wrong_number);
  }
}

}  // namespace rps::rpc::rest
