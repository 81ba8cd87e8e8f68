// JSON-RPC in frames: everything that is JSON's is tried here, once for all protocols.
#include "stage2_jsonrpc/frame_protocol.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"
#include "tests/stage2_jsonrpc/frames.hpp"
#include "tests/stage2_jsonrpc/table.hpp"

namespace rps::jsonrpc {
namespace {

using Json = nlohmann::json;
using namespace std::literals;

// The payload that answers `payload`; empty when nothing does.
std::string ask(Table& table, std::string_view payload) {
  const std::string out = table.answer(frame_of(payload));
  if (out.empty()) return out;
  REQUIRE(out == frame_of(out.substr(5), 0x02));
  REQUIRE(Json::accept(out.substr(5)));
  return out.substr(5);
}

std::string ask(std::string_view payload) {
  Table table;
  return ask(table, payload);
}

std::string refusal(std::string_view id, int code, std::string_view message, std::string_view error,
                    std::string_view detail) {
  return R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"error":{"code":)" +
         std::to_string(code) + R"(,"message":")" + std::string(message) +
         R"(","data":{"error":")" + std::string(error) + R"(","detail":")" + std::string(detail) +
         R"("}}})";
}

int code_of_reply(const std::string& payload) {
  const Json reply = Json::parse(payload);
  return reply.contains("error") ? reply["error"]["code"].get<int>() : 0;
}

// https://www.jsonrpc.org/specification, section 7, with our methods in the place of its own. A
// reply is given as (id, code) because the words are ours; 0 is a result. An array of replies is
// in the order of the requests.
struct Example {
  std::string_view name;
  std::string_view request;
  std::string_view replies;
};

constexpr Example specification[] = {
    {"positional parameters",
     R"({"jsonrpc": "2.0", "method": "play", "params": ["ROCK", "s"], "id": 1})", "[1,0]"},
    {"positional parameters again",
     R"({"jsonrpc": "2.0", "method": "play", "params": ["PAPER", "s"], "id": 2})", "[2,0]"},
    {"named parameters",
     R"({"jsonrpc": "2.0", "method": "play", "id": 3,
         "params": {"session_id": "s", "player_move": "ROCK"}})",
     "[3,0]"},
    {"named parameters in the other order",
     R"({"jsonrpc": "2.0", "method": "play", "id": 4,
         "params": {"player_move": "ROCK", "session_id": "s"}})",
     "[4,0]"},
    {"a notification", R"({"jsonrpc": "2.0", "method": "play", "params": ["ROCK", "s"]})", ""},
    {"a notification without parameters", R"({"jsonrpc": "2.0", "method": "foobar"})", ""},
    {"a method that does not exist", R"({"jsonrpc": "2.0", "method": "foobar", "id": "1"})",
     R"(["1",-32601])"},
    {"invalid JSON", R"({"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz])",
     "[null,-32700]"},
    {"an invalid request", R"({"jsonrpc": "2.0", "method": 1, "params": "bar"})", "[null,-32600]"},
    {"a batch of invalid JSON",
     R"([{"jsonrpc": "2.0", "method": "score", "params": ["s"], "id": "1"},
         {"jsonrpc": "2.0", "method"])",
     "[null,-32700]"},
    {"an empty array", "[]", "[null,-32600]"},
    {"an invalid batch that is not empty", "[1]", "[[null,-32600]]"},
    {"an invalid batch", "[1,2,3]", "[[null,-32600],[null,-32600],[null,-32600]]"},
    {"a batch",
     R"([{"jsonrpc": "2.0", "method": "play", "params": ["ROCK", "s"], "id": "1"},
         {"jsonrpc": "2.0", "method": "play", "params": ["ROCK", "s"]},
         {"jsonrpc": "2.0", "method": "score", "params": ["s"], "id": "2"},
         {"foo": "boo"},
         {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
         {"jsonrpc": "2.0", "method": "play", "params": ["ROCK"], "id": "9"}])",
     R"([["1",0],["2",0],[null,-32600],["5",-32601],["9",0]])"},
    {"a batch of notifications",
     R"([{"jsonrpc": "2.0", "method": "play", "params": ["ROCK"]},
         {"jsonrpc": "2.0", "method": "play", "params": ["PAPER"]}])",
     ""},
};

Json summary(const Json& reply) {
  CHECK(reply.at("jsonrpc") == "2.0");
  CHECK(reply.contains("result") != reply.contains("error"));
  return {reply.at("id"), reply.contains("error") ? reply["error"]["code"] : Json(0)};
}

TEST_CASE("The specification's own examples") {
  for (const Example& example : specification) {
    INFO(example.name);
    Table table;
    const std::string replies = ask(table, example.request);
    if (example.replies.empty()) {
      CHECK(replies.empty());
      continue;
    }
    const Json parsed = Json::parse(replies);
    Json seen = Json::array();
    if (parsed.is_object()) seen = summary(parsed);
    for (const Json& reply : parsed.is_array() ? parsed : Json::array()) {
      seen.push_back(summary(reply));
    }
    CHECK(seen == Json::parse(example.replies));
  }
}

TEST_CASE("Replies are spelled as the wire format says") {
  Table table;
  CHECK(
      ask(table, R"({"jsonrpc":"2.0","id":1,"method":"play",)"
                 R"("params":{"player_move":"ROCK","session_id":"s"}})") ==
      R"({"jsonrpc":"2.0","id":1,"result":{"opponent_move":"SCISSORS","result":"WIN",)"
      R"("reason":"rock crushes scissors","round":1,"score":{"wins":1,"draws":0,"losses":0,"rounds":1}}})");
  CHECK(ask(table, R"({"jsonrpc":"2.0","id":2,"method":"score","params":{"session_id":"s"}})") ==
        R"({"jsonrpc":"2.0","id":2,"result":{"wins":1,"draws":0,"losses":0,"rounds":1}})");
  CHECK(ask(table, R"({"jsonrpc":"2.0","id":3,"method":"play",)"
                   R"("params":{"move":"PAPER","session_id":"s"}})")
            .contains(R"("round":2)"));
  CHECK(ask(table, R"({"jsonrpc":"2.0","id":4,"method":"play","params":["lizard"]})") ==
        refusal("4", -32602, "Invalid params", "invalid_move",
                "the move must be ROCK, PAPER or SCISSORS"));
  CHECK(ask(table, R"({"jsonrpc":"2.0","id":5,"method":"score","params":["nobody"]})") ==
        refusal("5", -32001, "no round was played in this session", "unknown_session",
                "no round was played in this session"));
  CHECK(ask(table, R"({"jsonrpc":"2.0","id":6,"method":"join",)"
                   R"("params":{"game_id":"g","player_id":"p","best_of":5}})") ==
        R"({"jsonrpc":"2.0","id":6,"result":{"seat":1,"best_of":5}})");
  CHECK(ask(table, R"({"jsonrpc":"2.0","id":7,"method":"join","params":["g","q"]})") ==
        R"({"jsonrpc":"2.0","id":7,"result":{"seat":2,"best_of":5}})");
  CHECK(ask(table, R"({"jsonrpc":"2.0","id":8,"method":"throw","params":["g","q","ROCK"]})") ==
        R"({"jsonrpc":"2.0","id":8,"result":{"accepted":true}})");
  CHECK(ask(table, R"({"jsonrpc":"2.0","id":9,"method":"throw","params":["g","q","ROCK"]})") ==
        refusal("9", -32002, "this player cannot throw now", "not_your_turn",
                "this player cannot throw now"));
  for (const auto* const player : {"p", "q"}) {
    CHECK(ask(table, R"({"jsonrpc":"2.0","id":10,"method":"leave","params":["g",")"s + player +
                         R"("]})") == R"({"jsonrpc":"2.0","id":10,"result":{"done":true}})");
  }
}

TEST_CASE("An id is echoed as it came, whatever it is") {
  for (const std::string id :
       {R"(0)", R"(1)", R"(-1)", R"(-0)", R"(9007199254740993)", R"(18446744073709551615)",
        R"(18446744073709551616)", R"(123456789012345678901234567890)", R"(1.50)", R"(1e2)",
        R"(-0.0)", R"(null)", R"("")", R"("a b")", R"("\u0041\n\"\\")", R"("{[:,]}")", "\"\u00e9\"",
        R"("\ud83d\ude00")"}) {
    INFO(id);
    Table table;
    const std::string expected = R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":)";
    CHECK(ask(table, R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"play","params":["ROCK"]})")
              .starts_with(expected));
    CHECK(ask(table, R"( { "params" : [ "ROCK" ] , "method" : "play" , "\u0069d" : )" + id +
                         R"( , "jsonrpc" : "2.0" } )")
              .starts_with(expected));
    CHECK(ask(table, R"([ {"x":{"id":[1]},"jsonrpc":"2.0","id" :)" + id +
                         R"( ,"method":"play","params":["ROCK"]} ])")
              .starts_with("[" + expected));
  }
}

TEST_CASE("What is no id is refused with a null id") {
  const std::string longest(limits::id_text_bytes_max - 2, 'x');
  const auto with_id = [](const std::string& id) {
    return ask(R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"play","params":["ROCK"]})");
  };
  for (const std::string& id : {"{}"s, "[]"s, "[1]"s, "true"s, "false"s, '"' + longest + "x\""}) {
    INFO(id);
    const std::string reply = with_id(id);
    CHECK(reply.contains(R"("id":null,)"));
    CHECK(code_of_reply(reply) == -32600);
  }
  CHECK(with_id('"' + longest + '"').contains(longest));
}

TEST_CASE("What is not JSON is -32700") {
  constexpr std::string_view good = R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK"]})";
  const std::string cases[] = {
      "",
      " ",
      "{",
      "\xEF\xBB\xBF" + std::string(good),
      std::string(good) + "\0"s,
      std::string(good) + "x",
      std::string(good) + std::string(good),
      "\0"s,
      R"({"jsonrpc":"2.0","id":1,"id":2,"method":"play","params":["ROCK"]})",
      R"({"jsonrpc":"2.0","id":1,"method":"play","params":{"move":"ROCK","move":"PAPER"}})",
      R"({"jsonrpc":"2.0","id":1,"method":"play","params":{"move":"ROCK","\u006dove":"PAPER"}})",
      R"({"jsonrpc":"2.0","id":"\ud800","method":"play","params":["ROCK"]})",
      "{\"jsonrpc\":\"2.0\",\"id\":\"\xff\",\"method\":\"play\",\"params\":[\"ROCK\"]}",
      "{\"jsonrpc\":\"2.0\",\"id\":\"\xc0\x80\",\"method\":\"play\",\"params\":[\"ROCK\"]}",
      "{\"jsonrpc\":\"2.0\",\"id\":\"\n\",\"method\":\"play\",\"params\":[\"ROCK\"]}",
      R"({"jsonrpc":"2.0","id":01,"method":"play","params":["ROCK"]})",
      R"({"jsonrpc":"2.0","id":+1,"method":"play","params":["ROCK"]})",
      R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK",]})",
      R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK"],})",
      R"({'jsonrpc':'2.0'})",
      R"({"jsonrpc":"2.0","id":1e999,"method":"play"})",
      "NaN",
  };
  for (const std::string& payload : cases) {
    INFO(payload);
    Table table;
    const std::string reply = ask(table, payload);
    CHECK(code_of_reply(reply) == -32700);
    CHECK(reply.contains(R"("id":null,)"));
    CHECK(table.calls == 0);
    CHECK(table.errors == std::vector{Error::malformed_request});
  }
}

TEST_CASE("What is no request is -32600, with its id where that is one") {
  for (const std::string payload :
       {R"({"id":1,"method":"play"})", R"({"jsonrpc":"1.0","id":1,"method":"play"})",
        R"({"jsonrpc":2.0,"id":1,"method":"play"})", R"({"jsonrpc":"2.0","id":1})",
        R"({"jsonrpc":"2.0","id":1,"method":null})",
        R"({"jsonrpc":"2.0","id":1,"method":["play"]})",
        R"({"jsonrpc":"2.0","id":1,"method":"play","params":"ROCK"})",
        R"({"jsonrpc":"2.0","id":1,"method":"play","params":null})"}) {
    INFO(payload);
    const Json reply = Json::parse(ask(payload));
    CHECK(reply["error"]["code"] == -32600);
    CHECK(reply["id"] == 1);
  }
  for (const std::string payload :
       {"1", "null", "true", R"("play")", "{}", R"({"jsonrpc":"2.0"})"}) {
    INFO(payload);
    const Json reply = Json::parse(ask(payload));
    CHECK(reply["error"]["code"] == -32600);
    CHECK(reply["id"].is_null());
  }
}

TEST_CASE("Parameters that do not fit are -32602; as a notification they are silent") {
  const std::pair<std::string, std::string> cases[] = {
      {"play", R"([])"},
      {"play", R"({})"},
      {"play", R"(["rock"])"},
      {"play", R"(["MOVE_UNSPECIFIED"])"},
      {"play", R"([1])"},
      {"play", R"([null])"},
      {"play", R"(["ROCK","s","x"])"},
      {"play", R"(["ROCK","a b"])"},
      {"play", R"(["ROCK",")" + std::string(65, 'x') + R"("])"},
      {"play", R"({"player_move":"ROCK","move":"ROCK"})"},
      {"play", R"({"player_move":"ROCK","session":"s"})"},
      {"play", R"({"player_move":"ROCK","session_id":null})"},
      {"score", R"([])"},
      {"score", R"([""])"},
      {"score", "[\"\u00e9\"]"},
      {"score", R"({"session_id":7})"},
      {"join", R"(["g"])"},
      {"join", R"(["g","p",2])"},
      {"join", R"(["g","p",0])"},
      {"join", R"(["g","p",101])"},
      {"join", R"(["g","p",-1])"},
      {"join", R"(["g","p",3.5])"},
      {"join", R"(["g","p",4294967299])"},
      {"join", R"(["g","p","3"])"},
      {"throw", R"(["g","p"])"},
      {"throw", R"({"game_id":"g","player_id":"p","player_move":"ROCK"})"},
      {"leave", R"({"player_id":"p"})"},
  };
  for (const auto& [method, params] : cases) {
    INFO(method << ' ' << params);
    const std::string rest = R"("method":")" + method + R"(","params":)" + params + "}";
    CHECK(code_of_reply(ask(R"({"jsonrpc":"2.0","id":1,)" + rest)) == -32602);
    CHECK(ask(R"({"jsonrpc":"2.0",)" + rest).empty());
  }
  CHECK(code_of_reply(ask(R"({"jsonrpc":"2.0","id":1,"method":"play"})")) == -32602);
}

TEST_CASE("Methods that begin with rpc. and other unknown ones are -32601") {
  for (const std::string method : {"rpc.discovery", "rpc.", "PLAY", "", "play ", "pl\\u0061y!"}) {
    CHECK(code_of_reply(ask(R"({"jsonrpc":"2.0","id":1,"method":")" + method + "\"}")) == -32601);
  }
}

TEST_CASE("Unknown members and escaped spellings change nothing") {
  for (const std::string payload :
       {R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK","s"],"traceparent":"00-1"})",
        R"({"jsonrpc":"2.0","id":1,"method":"pl\u0061y","params":["R\u004fCK","\u0073"]})",
        R"({"params":{"player_mov\u0065":"ROCK","session_id":"s"},
            "id":1,"method":"play","jsonrpc":"2.0"})",
        "\t{ \"jsonrpc\" : \"2.0\" ,\r\n\"id\":1, \"method\":\"play\",\"params\":[ \"ROCK\" , "
        "\"s\" "
        "] } \n"}) {
    INFO(payload);
    CHECK(ask(payload) == ask(R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK","s"]})"));
  }
}

TEST_CASE("JSON may be nested as deeply as the limit says and no deeper") {
  const auto nested = [](std::size_t depth) {
    // The request itself is one container.
    return R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK"],"x":)" +
           std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  CHECK(code_of_reply(ask(nested(limits::json_depth_max))) == 0);
  CHECK(code_of_reply(ask(nested(limits::json_depth_max + 1))) == -32600);
  CHECK(code_of_reply(ask(std::string(60'000, '['))) == -32600);
  // Brackets in strings are text.
  CHECK(code_of_reply(ask(R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK"],"x":"\")" +
                          std::string(100, '[') + "\"}")) == 0);
}

TEST_CASE("A batch may have as many calls as the limit says, and their replies always fit") {
  // The longest reply there is: the longest id and the longest refusal.
  const std::string id = '"' + std::string(limits::id_text_bytes_max - 2, 'x') + '"';
  const std::string call = R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"play","params":[]})";
  const auto batch = [&](std::size_t size) {
    std::string text = "[" + call;
    for (std::size_t i = 1; i < size; ++i) text += "," + call;
    return text + "]";
  };
  Table table;
  CHECK(Json::parse(ask(table, batch(limits::batch_calls_max))).size() == limits::batch_calls_max);
  CHECK(table.calls == limits::batch_calls_max);
  const std::string refused = ask(table, batch(limits::batch_calls_max + 1));
  CHECK(code_of_reply(refused) == -32600);
  CHECK(table.calls == limits::batch_calls_max);
  CHECK(!table.last.end);
}

TEST_CASE("Frames that cannot be understood end the stream with an error, in this order") {
  struct Case {
    std::string bytes;
    int code;
  };
  const std::string good =
      frame_of(R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK"]})");
  const Case cases[] = {{"XA\xFE", -32700},
                        {"\xCA\xFF", -32700},
                        {"\xCA\xFE"s + '\0', -32600},
                        {frame_of("{}", 0x02), -32600},
                        {frame_of("{}", 0x03), -32600},
                        {frame_of(std::string(501, ' ')).substr(0, 5), -32003}};
  for (const Case& wrong : cases) {
    Table table;
    table.limits.frame_bytes_max = 500;
    const std::string out = table.answer(good + wrong.bytes + good);
    CHECK(table.last.end);
    CHECK(table.last.messages == 1);
    const std::string last = out.substr(table.answer(good).size());
    REQUIRE(last == frame_of(last.substr(5), 0x02));
    CHECK(code_of_reply(last.substr(5)) == wrong.code);
    CHECK(last.contains(R"("id":null)"));
  }
}

TEST_CASE("A codec that is not offered is refused and the stream goes on") {
  Table table;
  const std::string good = R"({"jsonrpc":"2.0","id":1,"method":"score","params":["s"]})";
  const std::string out =
      table.answer(frame_of("\x80", 0x31) + frame_of("?", 0xf1) + frame_of(good));
  CHECK(!table.last.end);
  CHECK(table.last.messages == 3);
  const std::string no_codec = frame_of(
      refusal("null", -32600, "Invalid Request", "malformed_request", "the codec is not offered"),
      0x02);
  CHECK(out == no_codec + no_codec + frame_of(ask(table, good), 0x02));
}

TEST_CASE("However the bytes are cut, the same goes out") {
  const std::string payloads[] = {
      R"({"jsonrpc":"2.0","id":1,"method":"play",)"
      R"("params":{"player_move":"ROCK","session_id":"s"}})",
      R"({"jsonrpc":"2.0","method":"play","params":["PAPER","s"]})",
      "",
      R"([{"jsonrpc":"2.0","id":"a\n","method":"score","params":["s"]},7])",
      "no JSON",
      R"({"jsonrpc":"2.0","id":2.50,"method":"score","params":["s"]})"};
  std::string bytes;
  for (const std::string& payload : payloads) bytes += frame_of(payload);
  CHECK(Table::cuts_do_not_matter(bytes + "\xCA\xFE\x07"));
}

TEST_CASE("A turn ends when its share of calls is used up, or too much waits unsent") {
  const std::string one = frame_of(R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK"]})");
  Table table;
  table.limits.calls_per_turn = 2;
  table.answer(one + one + one);
  CHECK(table.last.messages == 2);
  CHECK(table.last.more);
  table.limits.calls_per_turn = 100;
  table.limits.unsent_bytes_max = 10;
  table.answer(one + one + one);
  CHECK(table.last.messages == 1);
  CHECK(table.last.more);
}

}  // namespace
}  // namespace rps::jsonrpc
