// The server's side of MessagePack, against nlohmann::json as an independent implementation.
#include "stage2_jsonrpc/message_pack.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "stage2_jsonrpc/append_in_place.hpp"
#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/message_pack_writer.hpp"
#include "tests/catch.hpp"
#include "tests/stage2_jsonrpc/contract_values.hpp"

namespace rps::jsonrpc {
namespace {

using Json = nlohmann::json;
using namespace std::literals;

std::string pack(const Json& value) {
  std::string bytes;
  Json::to_msgpack(value, nlohmann::detail::output_adapter<char>(bytes));
  return bytes;
}

Json unpack(std::string_view bytes) {
  return Json::from_msgpack(bytes);
}

// Views into `payload`, which must outlive the result.
Calls read(std::string_view payload, std::size_t batch_calls_max = limits::batch_calls_max) {
  Calls calls;
  decode_message_pack(payload, batch_calls_max, calls);
  REQUIRE(!calls.list.empty());
  return calls;
}

int code_of_only_call(const std::string& payload) {
  const Calls calls = read(payload);
  REQUIRE(calls.list.size() == 1);
  const Call& call = calls.list.front();
  return call.failure ? static_cast<int>(call.failure->code) : 0;
}

// A request whose members are given as bytes: (name, value) in any number.
std::string request_of(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string bytes(1, static_cast<char>(0x80 | members.size()));
  for (const auto& [name, value] : members) bytes += pack(name) + value;
  return bytes;
}

std::string with_id(const std::string& id) {
  return request_of({{"jsonrpc", pack("2.0")}, {"id", id}, {"method", pack("play")}});
}

std::string with_params(const std::string& method, const std::string& params) {
  return request_of(
      {{"jsonrpc", pack("2.0")}, {"id", pack(1)}, {"method", pack(method)}, {"params", params}});
}

std::string nested(std::size_t depth) {
  return std::string(depth - 1, '\x91') + '\x90';
}

TEST_CASE("A request is read whatever the order of its members") {
  std::vector<std::pair<std::string, std::string>> members{
      {"id", pack(7)},
      {"jsonrpc", pack("2.0")},
      {"method", pack("throw")},
      {"params", pack({{"game_id", "g"}, {"player_id", "p"}, {"move", "PAPER"}})},
      {"traceparent", pack("00-000102030405060708090a0b0c0d0e0f-1011121314151617-01")},
      {"extra", pack({{"deep", {1, 2.5, nullptr, {{"x", true}}}}})}};
  std::ranges::sort(members);
  do {
    const std::string payload = request_of(members);
    const Calls calls = read(payload);
    REQUIRE(calls.list.size() == 1);
    const Call& call = calls.list.front();
    REQUIRE(!call.failure);
    CHECK(call.id == "\x07");
    CHECK(call.wants_reply);
    CHECK(!call.is_discover);
    REQUIRE(call.trace);
    CHECK(call.trace->sampled);
    CHECK(call.command.operation == Operation::throw_move);
    CHECK(call.command.game_id == "g");
    CHECK(call.command.player_id == "p");
    CHECK(call.command.move == Move::paper);
  } while (std::ranges::next_permutation(members).found);
}

TEST_CASE("Parameters may stand in an array") {
  const std::string payload = with_params("join", pack({"g", "p", 7}));
  const Calls calls = read(payload);
  const Command& command = calls.list.front().command;
  CHECK(command.game_id == "g");
  CHECK(command.player_id == "p");
  CHECK(command.best_of == 7);
}

TEST_CASE("Numbers are taken in every width") {
  for (const std::string_view seven :
       {"07", "cc07", "cd0007", "ce00000007", "cf0000000000000007", "d007", "d10007", "d200000007",
        "d30000000000000007", "ca40e00000", "cb401c000000000000"}) {
    INFO(seven);
    const std::string payload = with_params("join", from_hex("93 a167 a170 " + std::string(seven)));
    const Calls calls = read(payload);
    REQUIRE(!calls.list.front().failure);
    CHECK(calls.list.front().command.best_of == 7);
  }
}

TEST_CASE("Text, arrays and maps are taken with every width of length") {
  for (const std::string_view text : {"a4", "d904", "da0004", "db00000004"}) {
    for (const std::string_view array : {"91", "dc0001", "dd00000001"}) {
      const std::string payload =
          with_params("play", from_hex(std::string(array) + std::string(text)) + "ROCK");
      const Calls calls = read(payload);
      REQUIRE(!calls.list.front().failure);
      CHECK(calls.list.front().command.move == Move::rock);
    }
  }
  for (const std::string_view map : {"83", "de0003", "df00000003"}) {
    const std::string payload = from_hex(map) + with_id(pack(1)).substr(1);
    CHECK(code_of_only_call(payload) == 0);
  }
}

TEST_CASE("An id is echoed byte for byte") {
  for (const std::string_view id : {"00",
                                    "7f",
                                    "ff",
                                    "cc01",
                                    "cd0001",
                                    "ce00000001",
                                    "cf0000000000000001",
                                    "d001",
                                    "d1ffff",
                                    "d2ffffffff",
                                    "d38000000000000000",
                                    "ca3fc00000",
                                    "cb3ff8000000000000",
                                    "c0",
                                    "a0",
                                    "a161",
                                    "d90161",
                                    "da000161",
                                    "db0000000161",
                                    "a2c3a4"}) {
    INFO(id);
    const std::string payload = with_id(from_hex(id));
    const Calls calls = read(payload);
    REQUIRE(!calls.list.front().failure);
    CHECK(calls.list.front().wants_reply);
    CHECK(calls.list.front().id == from_hex(id));
    std::string out;
    message_pack_format.encode_reply(calls.list.front().id, {.operation = Operation::leave}, out);
    CHECK(out == from_hex("83") + pack("jsonrpc") + pack("2.0") + pack("id") + from_hex(id) +
                     pack("result") + pack({{"done", true}}));
  }
}

TEST_CASE("An id may take as many bytes as the limit says, and not one more") {
  const std::string longest = pack(std::string(limits::id_text_bytes_max - 2, 'x'));
  REQUIRE(longest.size() == limits::id_text_bytes_max);
  CHECK(code_of_only_call(with_id(longest)) == 0);
  const std::string payload = with_id(pack(std::string(limits::id_text_bytes_max - 1, 'x')));
  CHECK(code_of_only_call(payload) == -32600);
  CHECK(read(payload).list.front().id == "\xc0");
}

TEST_CASE("A request without an id is a notification, even when it fails") {
  const std::string good = request_of({{"jsonrpc", pack("2.0")}, {"method", pack("play")}});
  CHECK(!read(good).list.front().wants_reply);
  const std::string bad = request_of({{"jsonrpc", pack("2.0")}, {"method", pack("nope")}});
  CHECK(!read(bad).list.front().wants_reply);
  CHECK(read(bad).list.front().failure->code == Code::method_not_found);
}

TEST_CASE("What is no request is refused with the code that JSON would get") {
  const std::string good = with_params("play", pack({{"move", "ROCK"}}));
  REQUIRE(code_of_only_call(good) == 0);
  struct Refused {
    std::string_view what;
    std::string payload;
    int code;
  };
  const Refused table[] = {
      {"nothing", "", -32700},
      {"a byte that is never used", "\xc1", -32700},
      {"bytes behind the value", good + '\xc0', -32700},
      {"two values", good + good, -32700},
      {"bin", with_id(from_hex("c40161")), -32700},
      {"bin where it is ignored", request_of({{"x", from_hex("c50001 61")}}), -32700},
      {"ext", with_id(from_hex("d40161")), -32700},
      {"a time stamp", with_id(from_hex("d6ff00000000")), -32700},
      {"text of 2^32 - 1 bytes", with_id(from_hex("dbffffffff 61")), -32700},
      {"an array of 2^32 - 1", from_hex("ddffffffff"), -32700},
      {"a map of 2^32 - 1", from_hex("dfffffffff"), -32700},
      {"an inner array of 2^32 - 1", with_params("play", from_hex("ddffffffff")), -32700},
      {"a map of fewer members than it says", "\x84" + with_id(pack(1)).substr(1), -32700},
      {"a key that is a number", from_hex("8101c0"), -32700},
      {"an inner key that is a number", request_of({{"x", from_hex("8101c0")}}), -32700},
      {"a key that is no UTF-8", from_hex("81a1ffc0"), -32700},
      {"an id that is no UTF-8", with_id(from_hex("a1ff")), -32700},
      {"a parameter that is no UTF-8", with_params("score", from_hex("91a1ff")), -32700},
      {"a member twice", request_of({{"id", pack(1)}, {"id", pack(1)}}), -32700},
      {"the version twice",
       request_of({{"jsonrpc", pack("2.0")}, {"jsonrpc", pack("2.0")}, {"method", pack("play")}}),
       -32700},
      {"a parameter twice",
       with_params("play",
                   from_hex("82") + pack("move") + pack("ROCK") + pack("move") + pack("ROCK")),
       -32700},
      {"nil", pack(nullptr), -32600},
      {"a number", pack(1), -32600},
      {"text", pack("play"), -32600},
      {"an empty batch", pack(Json::array()), -32600},
      {"an empty request", pack(Json::object()), -32600},
      {"an id that is a boolean", with_id(pack(true)), -32600},
      {"an id that is an array", with_id(pack({1})), -32600},
      {"an id that is a map", with_id(pack({{"a", 1}})), -32600},
      {"no version", request_of({{"id", pack(1)}, {"method", pack("play")}}), -32600},
      {"another version", request_of({{"jsonrpc", pack("1.0")}, {"method", pack("play")}}), -32600},
      {"a version that is a number", request_of({{"jsonrpc", pack(2.0)}, {"method", pack("play")}}),
       -32600},
      {"no method", request_of({{"jsonrpc", pack("2.0")}, {"id", pack(1)}}), -32600},
      {"a method that is nil",
       request_of({{"jsonrpc", pack("2.0")}, {"id", pack(1)}, {"method", pack(nullptr)}}), -32600},
      {"params that are text", with_params("play", pack("ROCK")), -32600},
      {"params that are nil", with_params("play", pack(nullptr)), -32600},
      {"nesting", with_params("play", nested(limits::json_depth_max)), -32600},
      {"ignored nesting", request_of({{"x", nested(10'000)}}), -32600},
      {"a nesting batch", std::string(60'000, '\x91'), -32600},
      {"an unknown method", with_params("nope", pack({1})), -32601},
      {"the document, which is JSON", with_params("rpc.discover", pack(Json::array())), -32601},
      {"an unknown parameter", with_params("play", pack({{"mode", "ROCK"}})), -32602},
      {"both names of the move",
       with_params("play", pack({{"move", "ROCK"}, {"player_move", "ROCK"}})), -32602},
      {"too many parameters", with_params("play", pack({"ROCK", "s", "t"})), -32602},
      {"a move that is a number", with_params("play", pack({1})), -32602},
      {"an id that is an array of text", with_params("score", pack({{"s"}})), -32602},
      {"a best_of that is text", with_params("join", pack({"g", "p", "3"})), -32602},
      {"a best_of below zero", with_params("join", pack({"g", "p", -3})), -32602},
      {"a best_of below zero in 64 bits",
       with_params("join", from_hex("93a167a170 d3ffffffffffffffff")), -32602},
      {"a best_of above 32 bits", with_params("join", pack({"g", "p", 4294967296})), -32602},
      {"a best_of that is no integer", with_params("join", pack({"g", "p", 3.5})), -32602},
      {"a best_of that is not a number", with_params("join", from_hex("93a167a170 ca7fc00000")),
       -32602},
      {"an infinite best_of", with_params("join", from_hex("93a167a170 cb7ff0000000000000")),
       -32602},
      {"a real best_of below zero", with_params("join", pack({"g", "p", -3.0})), -32602},
      {"a real best_of above 32 bits", with_params("join", pack({"g", "p", 4294967296.0})), -32602},
  };
  for (const Refused& refused : table) {
    INFO(refused.what);
    CHECK(code_of_only_call(refused.payload) == refused.code);
  }
}

TEST_CASE("A payload that is cut anywhere is refused as a whole") {
  const std::string request = with_params("join", pack({{"game_id", "g"}, {"best_of", 70'000}}));
  for (const std::string& payload : {request, "\x92" + request + request}) {
    for (std::size_t size = 0; size < payload.size(); ++size) {
      const std::string cut = payload.substr(0, size);
      CHECK(code_of_only_call(cut) == -32700);
      CHECK(read(cut).list.front().wants_reply);
      CHECK(read(cut).list.front().id == "\xc0");
    }
  }
}

TEST_CASE("Containers may stand inside each other as deep as the limit says") {
  // The request itself is one, a batch around it another.
  const std::string deepest = request_of({{"jsonrpc", pack("2.0")},
                                          {"method", pack("play")},
                                          {"x", nested(limits::json_depth_max - 1)}});
  CHECK(code_of_only_call(deepest) == 0);
  CHECK(code_of_only_call("\x91" + deepest) == -32600);
}

TEST_CASE("In a batch each call has its own fate") {
  const std::string payload = "\x95" + with_id(pack(1)) + pack(1) + with_params("nope", pack({1})) +
                              request_of({{"jsonrpc", pack("2.0")}, {"method", pack("leave")}}) +
                              pack({{"x", {1}}});
  const Calls calls = read(payload);
  CHECK(calls.is_batch);
  REQUIRE(calls.list.size() == 5);
  CHECK(!calls.list[0].failure);
  CHECK(calls.list[1].failure->code == Code::invalid_request);
  CHECK(calls.list[1].id == "\xc0");
  CHECK(calls.list[2].failure->code == Code::method_not_found);
  CHECK(calls.list[2].id == "\x01");
  CHECK(!calls.list[3].wants_reply);
  CHECK(calls.list[4].failure->code == Code::invalid_request);
  CHECK(code_of_only_call("\x92" + with_id(pack(1)) + request_of({{"x", "\xc1"}})) == -32700);
}

TEST_CASE("A batch in MessagePack may have as many calls as the limit says, and not one more") {
  const std::string three = "\x93" + with_id(pack(1)) + with_id(pack(2)) + with_id(pack(3));
  CHECK(read(three, 3).list.size() == 3);
  const Calls refused = read(three, 2);
  REQUIRE(refused.list.size() == 1);
  CHECK(!refused.is_batch);
  CHECK(refused.list.front().failure->code == Code::invalid_request);
}

TEST_CASE("Replies in MessagePack say what they say in JSON, in the smallest form") {
  std::vector<Reply> replies = all_replies();
  for (const Error error : all_errors) {
    replies.push_back({.operation = Operation::play, .error = error, .retry_after_ms = 250});
  }
  for (const Reply& reply : replies) {
    std::string packed;
    message_pack_format.encode_reply(pack(1), reply, packed);
    std::string text;
    json_format.encode_reply("1", reply, text);
    CHECK(unpack(packed) == Json::parse(text));
    CHECK(packed.size() == pack(unpack(packed)).size());
  }
}

TEST_CASE("Failures and events in MessagePack say what they say in JSON") {
  const Failure failure{
      .code = Code::parse_error, .error = Error::malformed_request, .detail = "a detail"};
  std::string packed;
  message_pack_format.encode_failure(message_pack_format.null_id, failure, packed);
  std::string text;
  json_format.encode_failure(json_format.null_id, failure, text);
  CHECK(unpack(packed) == Json::parse(text));
  for (const Event& event : all_events()) {
    packed.clear();
    message_pack_format.encode_event(event, packed);
    text.clear();
    json_format.encode_event(event, text);
    CHECK(unpack(packed) == Json::parse(text));
  }
}

TEST_CASE("The longest reply in MessagePack keeps its limit") {
  const std::string id = pack(std::string(limits::id_text_bytes_max - 2, 'x'));
  for (const Reply& reply : all_replies()) {
    std::string out;
    message_pack_format.encode_reply(id, reply, out);
    CHECK(out.size() <= limits::reply_bytes_max);
  }
}

TEST_CASE("The writer writes what the other implementation writes") {
  const auto check = [](const Json& value, auto&& write) {
    std::string out;
    append_in_place<MessagePackWriter>(out, 200'000, write);
    CHECK(out == pack(value));
  };
  for (const std::uint64_t number :
       {0UL, 127UL, 128UL, 255UL, 256UL, 65535UL, 65536UL, 4294967295UL, 4294967296UL, largest}) {
    check(number, [&](MessagePackWriter& writer) { writer.natural(number); });
  }
  for (const int number : {-1, -32, -33, -128, -129, -32768}) {
    check(number, [&](MessagePackWriter& writer) { writer.negative(number); });
  }
  for (const std::size_t size : {0, 31, 32, 255, 256, 65535, 65536}) {
    check(std::string(size, 'x'),
          [&](MessagePackWriter& writer) { writer.text(std::string(size, 'x')); });
  }
  for (const std::size_t size : {0, 15, 16, 65535, 65536}) {
    check(Json(std::vector<int>(size, 1)), [&](MessagePackWriter& writer) {
      writer.array(size);
      for (std::size_t i = 0; i < size; ++i) writer.natural(1);
    });
  }
}

}  // namespace
}  // namespace rps::jsonrpc
