// The fast reader against the general one: where the first gives an answer, it is the second's.
#include "stage2_jsonrpc/scan.hpp"

#include <random>
#include <string>
#include <string_view>

#include "stage2_jsonrpc/dom.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "tests/catch.hpp"

namespace rps::jsonrpc {
namespace {

void check_same(const Calls& a, const Calls& b) {
  CHECK(a.is_batch == b.is_batch);
  REQUIRE(a.list.size() == b.list.size());
  for (std::size_t i = 0; i < a.list.size(); ++i) {
    const Call& x = a.list[i];
    const Call& y = b.list[i];
    CHECK(x.failure == y.failure);
    CHECK(x.wants_reply == y.wants_reply);
    if (x.wants_reply) CHECK(x.id == y.id);
    CHECK(x.command.operation == y.command.operation);
    CHECK(x.command.move == y.command.move);
    CHECK(x.command.session_id == y.command.session_id);
    CHECK(x.command.game_id == y.command.game_id);
    CHECK(x.command.player_id == y.command.player_id);
    CHECK(x.command.best_of == y.command.best_of);
  }
}

// Whether the fast reader had an answer.
bool agree(const std::string& payload) {
  INFO(payload);
  Calls fast;
  Calls general;
  read_dom(payload, limits::batch_calls_max, general);
  REQUIRE(!general.list.empty());
  if (!scan(payload, limits::batch_calls_max, fast)) return false;
  check_same(fast, general);
  return true;
}

TEST_CASE("The shapes that clients send are read by the fast reader") {
  for (const std::string payload :
       {R"({"jsonrpc":"2.0","id":1,"method":"play",
            "params":{"player_move":"ROCK","session_id":"s"}})",
        R"({"jsonrpc":"2.0","id":1,"method":"play","params":{"player_move":"ROCK"}})",
        R"({"jsonrpc": "2.0", "id": "a-1", "method": "play", "params": ["ROCK"]})",
        R"({"id":18446744073709551615,"jsonrpc":"2.0","method":"score",
            "params":{"session_id":"s"}})",
        R"({"jsonrpc":"2.0","method":"join","params":["g","p",3],"id":7})",
        R"({"jsonrpc":"2.0","method":"throw","params":{"game_id":"g","player_id":"p","move":"x"}})",
        R"([{"jsonrpc":"2.0","id":1,"method":"leave","params":[]},
            {"jsonrpc":"2.0","method":"play"}])"}) {
    CHECK(agree(payload));
  }
}

TEST_CASE("What is unusual is left to the general reader") {
  for (const std::string payload :
       {R"({"jsonrpc":"2.0","id":1.5,"method":"play"})",
        R"({"jsonrpc":"2.0","id":null,"method":"play"})",
        R"({"jsonrpc":"2.0","id":18446744073709551616,"method":"play"})",
        R"({"jsonrpc":"2.0","id":"\n","method":"play"})",
        R"({"jsonrpc":"2.0","id":01,"method":"play"})",
        R"({"jsonrpc":"2.0","id":1,"method":"play","x":1})", "[]", "", "{}", R"({"jsonrpc":"2.0"})",
        R"({"params":["ROCK"],"jsonrpc":"2.0","id":1,"method":"play"})"}) {
    CHECK(!agree(payload));
  }
}

TEST_CASE("A token that is too long to be usual is left to the general reader") {
  const auto with = [](const std::string& id, const std::string& session) {
    return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"score","params":[")" + session + "\"]}";
  };
  for (const std::size_t size : {253, 254, 255, 256, 257, 5'000}) {
    const std::string text(size, 'x');
    CHECK(agree(with('"' + text + '"', "s")) == (size <= 254));
    CHECK(agree(with("1", text)) == (size <= 255));
    CHECK(agree("[" + with("1", text) + "," + with("2", "s") + "]") == (size <= 255));
  }
  for (const std::size_t size : {1, 19, 20, 21, 22, 300, 5'000}) {
    CHECK(agree(with(std::string(size, '1'), "s")) == (size <= 20));
    CHECK(!agree(with(std::string(size, '0') + "1", "s")));
    CHECK(!agree(with("1." + std::string(size, '1'), "s")));
  }
}

TEST_CASE("On generated payloads the two readers agree") {
  std::mt19937 random(20240607);
  const auto pick = [&](const auto& choices) -> const std::string& {
    return choices[random() % std::size(choices)];
  };
  const std::string spaces[] = {"", "", "", " ", "\n\t"};
  const std::string keys[] = {R"("jsonrpc")", R"("id")", R"("method")", R"("params")",
                              R"("extra")"};
  const std::string ids[] = {"1",           "0",    "-5", "1.0", R"("x")",
                             R"("\u0041")", "null", "{}", "007", "18446744073709551616"};
  const std::string methods[] = {R"("play")",  R"("score")", R"("join")", R"("throw")",
                                 R"("leave")", R"("nope")",  "1"};
  const std::string values[] = {R"("ROCK")", R"("s")",     R"("")",         "3", "4294967296", "-1",
                                "null",      "\"\u00e9\"", R"("\u0052OCK")"};
  const std::string names[] = {R"("move")",    R"("player_move")", R"("session_id")",
                               R"("game_id")", R"("player_id")",   R"("best_of")"};

  const auto params = [&] {
    const bool named = random() % 2 == 0;
    std::string text = named ? "{" : "[";
    for (unsigned i = 0, count = random() % 4; i < count; ++i) {
      if (i > 0) text += ",";
      if (named) text += pick(names) + pick(spaces) + ":";
      text += pick(spaces) + pick(values) + pick(spaces);
    }
    return text + (named ? "}" : "]");
  };
  const auto value_of = [&](const std::string& key) {
    if (key == keys[0]) return std::string(random() % 16 == 0 ? R"("1.0")" : R"("2.0")");
    if (key == keys[1]) return pick(ids);
    if (key == keys[2]) return pick(methods);
    return params();
  };
  const auto request = [&] {
    std::string text = "{";
    for (std::size_t i = 0; i < 4; ++i) {
      const std::string& key = random() % 16 == 0 ? pick(keys) : keys[i];
      if (random() % 16 == 0) continue;
      if (text.size() > 1) text += ",";
      text += pick(spaces) + key + pick(spaces) + ":" + pick(spaces) + value_of(key) + pick(spaces);
    }
    return text + "}";
  };

  int fast = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string payload = request();
    if (random() % 4 == 0) payload = "[" + payload + "," + request() + "]";
    if (random() % 8 == 0) payload[random() % payload.size()] = static_cast<char>(random());
    fast += agree(payload);
  }
  CHECK(fast > 500);  // The test would mean nothing if the fast reader always declined.
}

}  // namespace
}  // namespace rps::jsonrpc
