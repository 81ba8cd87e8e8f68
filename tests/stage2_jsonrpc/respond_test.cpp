#include "stage2_jsonrpc/respond.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "bench/micro/allocations.hpp"
#include "core/limits.hpp"
#include "stage2_jsonrpc/openrpc.hpp"
#include "tests/catch.hpp"
#include "tests/stage2_jsonrpc/frames.hpp"
#include "tests/stage2_jsonrpc/table.hpp"

namespace rps::jsonrpc {
namespace {

using Json = nlohmann::json;
using namespace std::literals;

constexpr std::string_view discover = R"({"jsonrpc":"2.0","id":"d","method":"rpc.discover"})";

Json ask(Table& table, std::string_view payload) {
  return Json::parse(table.answer(frame_of(payload)).substr(5));
}

TEST_CASE("rpc.discover answers with the document, which describes every method") {
  Table table;
  const Json reply = ask(table, discover);
  CHECK(reply["id"] == "d");
  CHECK(reply["result"] == Json::parse(openrpc_document()));
  CHECK(!openrpc_document().contains('\n'));
  std::vector<std::string> methods;
  for (const Json& method : reply["result"]["methods"]) methods.push_back(method["name"]);
  for (const Operation operation : player_operations) {
    CHECK(std::ranges::count(methods, to_string(operation)) == 1);
  }
  CHECK(methods.size() == player_operations.size() + 1);
  CHECK(table.calls == 0);
}

TEST_CASE("The document names the parameters that are read, in their order") {
  const Json document = Json::parse(openrpc_document());
  for (const Json& method : document["methods"]) {
    const auto operation = parse_player_operation(method["name"].get<std::string>());
    if (!operation) continue;
    const auto params = params_of(*operation);
    REQUIRE(method["params"].size() == params.size());
    for (std::size_t i = 0; i < params.size(); ++i) {
      CHECK(parse_param(*operation, method["params"][i]["name"].get<std::string>()) == params[i]);
    }
  }
}

TEST_CASE("The document bounds best_of as the game does") {
  const Json document = Json::parse(openrpc_document());
  const auto join = std::ranges::find(document["methods"], "join",
                                      [](const Json& method) { return method["name"]; });
  const Json asked = (*join)["params"][2]["schema"];
  CHECK(asked["minimum"] == 1);
  CHECK(asked["maximum"] == rps::limits::best_of_max);
  CHECK(asked["not"]["multipleOf"] == 2);
  CHECK(asked["default"] == rps::limits::best_of_default);
  const Json answered = (*join)["result"]["schema"]["properties"]["best_of"];
  CHECK(answered["minimum"] == 1);
  CHECK(answered["maximum"] == rps::limits::best_of_max);
}

TEST_CASE("A best_of is an integer by its value, however JSON spells it") {
  Calls calls;
  const auto decode = [&](const std::string& spelling) -> const Call& {
    const std::string payload =
        R"({"jsonrpc":"2.0","id":1,"method":"join","params":["g","p",)" + spelling + "]}";
    json_format.decode(payload, limits::batch_calls_max, calls);
    return calls.list.front();
  };
  for (const std::string three : {"3", "3.0", "3e0", "3.00E+0", "0.3e1", "30e-1"}) {
    INFO(three);
    REQUIRE(!decode(three).failure);
    CHECK(decode(three).command.best_of == 3);
  }
  CHECK(decode("4294967295.0").command.best_of == UINT32_MAX);
  for (const std::string wrong :
       {"3.5", "3e-1", "-3.0", "4294967296.0", "1e300", "\"3\"", "null"}) {
    INFO(wrong);
    REQUIRE(decode(wrong).failure);
    CHECK(decode(wrong).failure->code == Code::invalid_params);
  }
}

TEST_CASE("rpc.discover takes no parameters, stands alone and may be a notification") {
  Table table;
  CHECK(ask(table, R"({"jsonrpc":"2.0","id":1,"method":"rpc.discover","params":[]})")
            .contains("result"));
  CHECK(ask(table,
            R"({"jsonrpc":"2.0","id":1,"method":"rpc.discover","params":[1]})")["error"]["code"] ==
        -32602);
  CHECK(ask(table, "[" + std::string(discover) + "]")[0]["error"]["code"] == -32600);
  CHECK(table.answer(frame_of(R"({"jsonrpc":"2.0","method":"rpc.discover"})")).empty());
}

TEST_CASE("A traceparent goes with its call, read fast or slowly, and a wrong one is ignored") {
  constexpr std::string_view trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (const std::string id : {"1", "1.5"}) {
    Table table;
    table.answer(frame_of(R"({"jsonrpc":"2.0","method":"play","params":["ROCK"],"traceparent":")" +
                          std::string(trace) + R"(","id":)" + id + "}"));
    REQUIRE(table.traces.size() == 1);
    CHECK(table.traces[0] == parse_traceparent(trace));
    for (const std::string wrong : {R"("00-1")", "7", "null", R"("")"}) {
      ask(table, R"({"jsonrpc":"2.0","method":"play","params":["ROCK"],"traceparent":)" + wrong +
                     R"(,"id":)" + id + "}");
      CHECK(!table.traces.back());
    }
  }
}

// How many allocations it takes to refuse `payload` with `code`, once the buffers have grown.
std::uint64_t allocations_of_refusing(const Format& format, const std::string& payload, int code) {
  Calls calls;
  const auto decode = [&] { format.decode(payload, limits::batch_calls_max, calls); };
  decode();
  const std::uint64_t before = micro::allocation_count();
  decode();
  const std::uint64_t count = micro::allocation_count() - before;
  REQUIRE(calls.list.size() == 1);
  REQUIRE(calls.list.front().failure);
  CHECK(static_cast<int>(calls.list.front().failure->code) == code);
  return count;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST_CASE("What is refused for a limit costs the same whatever stands behind the limit") {
  constexpr std::size_t calls = limits::batch_calls_max;
  constexpr std::size_t more = 10'000;
  const std::string call = R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK"]},)";
  std::string members = R"({"jsonrpc":"2.0")";
  for (std::size_t i = 1; i <= limits::call_values_max; ++i) {
    members += ",\"" + std::to_string(i) + "\":1";
  }
  const std::string beginnings[] = {
      "[" + repeated("{},", calls) + "1",
      "[" + repeated("[],", calls) + "[",
      "[" + repeated(call, calls) + "{",
      "[" + repeated(call, calls - 1) + "[" + repeated("1,", limits::call_values_max) + "1",
      repeated("[", limits::json_depth_max + 1),
      repeated(R"({"a":)", limits::json_depth_max) + "[",
      members,
      R"({"a":[)" + repeated("1,", limits::call_values_max),
      R"({"a":)" + repeated("1", limits::call_bytes_max),
      R"({"a":0.)" + repeated("0", limits::call_bytes_max),
      R"({"a":")" + repeated(" ", limits::call_bytes_max),
      R"({"a":")" + repeated("\\u0041", limits::call_bytes_max / 6),
      R"({"a":")" + repeated("\\\"", limits::call_bytes_max / 2),
      R"({"id":")" + repeated("x", limits::call_bytes_max),
      R"({")" + repeated("x", limits::call_bytes_max),
      R"({"jsonrpc":"2.0","method":"play","params":[")" + repeated("x", limits::call_bytes_max),
      "[" + repeated(call, calls - 1) + '"' + repeated("x", limits::call_bytes_max),
  };
  for (const std::string& beginning : beginnings) {
    INFO(beginning.substr(0, 50));
    const std::uint64_t alone = allocations_of_refusing(json_format, beginning + " ", -32600);
    for (const std::string_view rest : {",{}", "1,[[", "no JSON"}) {
      const std::string payload = beginning + std::string(rest) + repeated(rest, more);
      CHECK(allocations_of_refusing(json_format, payload, -32600) == alone);
    }
  }
  const std::string record = "\1\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\1"s;
  const std::string map = "\x80";
  CHECK(allocations_of_refusing(fixed_layout_format, repeated(record, more), -32600) == 0);
  CHECK(allocations_of_refusing(message_pack_format, "\xdc\x27\x10"s + repeated(map, more),
                                -32600) == 0);
}

TEST_CASE("A request may have as many values as the limit says, and not one more") {
  const auto with_values = [](std::size_t values) {  // In two members and an array.
    return R"({"jsonrpc":"2.0","id":1,"method":"nope","x":[)" + repeated("1,", values - 5) + "1]}";
  };
  Calls calls;
  for (const std::string batch : {"", "["}) {
    const auto code = [&](std::size_t values) {
      const std::string one = with_values(values);
      const std::string payload = batch.empty() ? one : "[" + one + "," + one + "]";
      json_format.decode(payload, limits::batch_calls_max, calls);
      return calls.list.back().failure->code;
    };
    CHECK(code(limits::call_values_max) == Code::method_not_found);
    CHECK(code(limits::call_values_max + 1) == Code::invalid_request);
    CHECK(calls.list.size() == 1);
  }
}

TEST_CASE("A request may have as many bytes as the limit says, white space aside") {
  const auto of_size = [](std::size_t size) {  // Ends with a string that is neither short nor read.
    const std::string begin = R"({"jsonrpc":"2.0","id":1.5,"method":"nope","x":")";
    return begin + repeated(" ", size - begin.size() - 2) + "\"}";
  };
  const auto spaced = [](std::string one) {  // With so much white space that it is most of it.
    for (const char mark : {':', ',', '}'}) {
      for (std::size_t at = one.find(mark); at != one.npos; at = one.find(mark, at + 1)) {
        one.insert(at, " \n\t\r" + repeated(" ", limits::call_bytes_max));
        at = one.find(mark, at);
      }
    }
    return one;
  };
  Calls calls;
  const auto code = [&](const std::string& payload) {
    json_format.decode(payload, limits::batch_calls_max, calls);
    return calls.list.back().failure->code;
  };
  const std::string longest = of_size(limits::call_bytes_max);
  const std::string too_long = of_size(limits::call_bytes_max + 1);
  CHECK(code(longest) == Code::method_not_found);
  CHECK(calls.list.back().id == "1.5");
  const std::string spaced_out = spaced(longest);  // The calls refer to it.
  CHECK(code(spaced_out) == Code::method_not_found);
  CHECK(calls.list.back().id == "1.5");
  CHECK(code("[" + repeated(longest + ",", limits::batch_calls_max - 1) + longest + "]") ==
        Code::method_not_found);
  CHECK(calls.list.size() == limits::batch_calls_max);
  CHECK(code(too_long) == Code::invalid_request);
  CHECK(code(spaced(too_long)) == Code::invalid_request);
  CHECK(code("[" + longest + "," + too_long + "," + longest + "]") == Code::invalid_request);
  CHECK(calls.list.size() == 1);
}

// The promise that the hot path makes: once its buffers have grown, nothing is allocated.
TEST_CASE("A call in a frame allocates nothing") {
  const std::string_view session = "a-session-id-that-is-longer-than-any-small-string";
  const std::string json =
      R"({"jsonrpc":"2.0","id":1,"method":"play","params":{"player_move":"ROCK",)"
      R"("session_id":")" +
      std::string(session) + R"("}})";
  const std::string score =
      R"({"jsonrpc":"2.0","id":"x","method":"score","params":[")" + std::string(session) + R"("]})";
  const std::string packed =
      "\x84\xa7jsonrpc\xa3"
      "2.0\xa2id\x01\xa6method\xa4play\xa6params\x92\xa4ROCK\xa1s"s;
  const std::string fixed = "\1\1\1\1\0\0\0\0\0\0\0\0\0\0\0\0\1s"s;
  const std::string frames[] = {frame_of(json), frame_of(score),
                                frame_of("[" + json + "," + score + "]"), frame_of(packed, 0x11),
                                frame_of(fixed, 0x21)};
  for (const std::string& frame : frames) {
    INFO(frame);
    Table table;
    std::string out;
    (void)table.answer(frame_of(json));  // Chooses the protocol, begins the session.
    table.traces.reserve(10'000);
    const auto turn = [&] {
      out.clear();
      table.last = table.protocol().take_messages(frame, table, out);
    };
    for (int i = 0; i < 10; ++i) turn();
    REQUIRE(table.errors.empty());
    REQUIRE(table.last.messages == 1);
    REQUIRE(!out.empty());
    const std::uint64_t before = micro::allocation_count();
    for (int i = 0; i < 1000; ++i) turn();
    CHECK(micro::allocation_count() == before);
  }
}

}  // namespace
}  // namespace rps::jsonrpc
