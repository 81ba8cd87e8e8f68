#include "bench/load/clients/inproc.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include "bench/load/clients/connect.hpp"
#include "tests/catch.hpp"

using rps::Command;
using rps::Event;
using rps::EventType;
using rps::Move;
using rps::Operation;
using rps::Reply;

namespace {

// Writes down what it is told, in order.
struct Notes final : rps::Sink {
  void on_reply(std::uint64_t id, const Reply& reply, const rps::Stamps& stamps) override {
    CHECK(stamps.received_at >= stamps.sent_at);
    lines.push_back("reply " + std::to_string(id));
    last = reply;
  }
  void on_event(const Event& event) override {
    lines.push_back(std::string(to_string(event.type)) + " to " +
                    std::string(event.player_id.view()));
  }
  std::vector<std::string> lines;
  Reply last;
};

std::size_t poll_now(rps::Client& client, Notes& notes) {
  return client.poll(rps::Clock::now(), notes);
}

}  // namespace

TEST_CASE("one seed gives one transcript") {
  const auto play = [](std::string_view url) {
    auto connection = rps::load::connect(url, {});
    std::string transcript;
    for (int round = 0; round < 20; ++round) {
      Notes notes;
      connection.client->submit(1, {.move = Move::rock, .session_id = "s"});
      CHECK(poll_now(*connection.client, notes) == 1);
      transcript += to_string(notes.last.opponent_move)[0];
    }
    return transcript;
  };
  CHECK(play("inproc:?seed=7") == play("inproc:?seed=7"));
  CHECK(play("inproc:?seed=7") != play("inproc:?seed=8"));
  CHECK(play("inproc:?house=mirror&seed=7").substr(1) == std::string(19, 'R'));
}

TEST_CASE("replies come before the events of the same command") {
  const auto connection = rps::load::connect("inproc:", {.connections = 2});
  rps::Client& client = *connection.client;
  CHECK(client.in_flight_max() == 2);
  Notes notes;
  client.submit(1, {.operation = Operation::join, .game_id = "g", .player_id = "a"});
  client.submit(2, {.operation = Operation::join, .game_id = "g", .player_id = "b"});
  CHECK(poll_now(client, notes) == 4);
  REQUIRE(notes.lines.size() == 4);
  CHECK(notes.lines[0] == "reply 1");
  CHECK(notes.lines[1] == "reply 2");
  CHECK(notes.lines[2].starts_with("opponent_joined to "));
  CHECK(poll_now(client, notes) == 0);
}

TEST_CASE("a wrong URL is refused with a sentence") {
  CHECK_THROWS_AS(rps::load::connect("inproc:?house=dishonest", {}), std::invalid_argument);
  CHECK_THROWS_AS(rps::load::connect("inproc:?seed=x", {}), std::invalid_argument);
  CHECK_THROWS_AS(rps::load::connect("inproc:?colour=red", {}), std::invalid_argument);
  CHECK_THROWS_AS(rps::load::connect("gopher://127.0.0.1:70", {}), std::invalid_argument);
  CHECK_THROWS_AS(rps::load::connect("nonsense", {}), std::invalid_argument);
}
