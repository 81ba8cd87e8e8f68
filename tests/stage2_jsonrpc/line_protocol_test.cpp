#include "stage2_jsonrpc/line_protocol.hpp"

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"
#include "tests/stage2_jsonrpc/table.hpp"

namespace rps::jsonrpc {
namespace {

using Json = nlohmann::json;
using namespace std::literals;

constexpr std::string_view play =
    R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK","s"]})";

int code_of_line(const std::string& line) {
  REQUIRE(line.ends_with('\n'));
  const Json reply = Json::parse(line);
  return reply.contains("error") ? reply["error"]["code"].get<int>() : 0;
}

TEST_CASE("Each line is a message, and so is each reply") {
  Table table;
  const std::string out = table.answer(std::string(play) + "\n" + std::string(play) + "\r\n");
  CHECK(table.last.messages == 2);
  CHECK(table.calls == 2);
  const std::size_t end = out.find('\n');
  CHECK(Json::parse(out.substr(0, end))["result"]["round"] == 1);
  CHECK(Json::parse(out.substr(end + 1))["result"]["round"] == 2);
  CHECK(out.ends_with('\n'));
}

TEST_CASE("Empty lines are skipped, notifications say nothing, batches answer in one line") {
  Table table;
  CHECK(table.answer("\n \t\r\n\n").empty());
  CHECK(table
            .answer(R"({"jsonrpc":"2.0","method":"play","params":["ROCK","s"]})"
                    "\n")
            .empty());
  CHECK(table.calls == 1);
  const std::string out = table.answer("[" + std::string(play) + "," + std::string(play) + "]\n");
  CHECK(Json::parse(out).size() == 2);
  CHECK(std::ranges::count(out, '\n') == 1);
}

TEST_CASE("A line that is no JSON is refused, and the next is read") {
  Table table;
  CHECK(code_of_line(table.answer("{\n")) == -32700);
  CHECK(code_of_line(table.answer("lizard\n")) == -32700);
  CHECK(code_of_line(table.answer(std::string(play) + "\n")) == 0);
  CHECK(!table.last.end);
}

TEST_CASE("A line one past the limit is refused, whole or not, and ends the stream") {
  const Limits limits{.line_bytes_max = play.size()};
  CHECK(code_of_line(Table(limits).answer(std::string(play) + "\n")) == 0);
  for (const std::string end : {" \n", " "}) {
    Table table(limits);
    CHECK(code_of_line(table.answer(std::string(play) + end)) == -32003);
    CHECK(table.last.end);
    CHECK(table.calls == 0);
    CHECK(table.errors == std::vector{Error::too_large});
  }
}

TEST_CASE("However lines are cut, the same goes out") {
  CHECK(Table::cuts_do_not_matter(std::string(play) + "\r\n\n{\n" + std::string(play) + "\n[1]\n"));
  CHECK(Table::cuts_do_not_matter(std::string(play) + "\n" + std::string(play) + "  \n",
                                  {.line_bytes_max = play.size() + 1}));
}

TEST_CASE("An event is a line") {
  Table table;
  table.answer("{}\n");
  std::string out;
  table.protocol().encode_event(
      {.type = EventType::opponent_ready, .game_id = Id("g"), .player_id = Id("p")}, out);
  CHECK(out ==
        R"({"jsonrpc":"2.0","method":"opponent_ready","params":{"game_id":"g","player_id":"p"}})"
        "\n");
}

TEST_CASE("A turn of lines ends when its share of calls is used up") {
  Table table({.calls_per_turn = 2});
  const std::string line = std::string(play) + "\n";
  table.answer(line + line + line);
  CHECK(table.last.messages == 2);
  CHECK(table.last.more);
  CHECK(table.last.consumed == 2 * line.size());
}

}  // namespace
}  // namespace rps::jsonrpc
