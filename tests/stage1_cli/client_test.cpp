// The client of stage 1 against the real rps-cli.
#include "stage1_cli/client.hpp"

#include <csignal>
#include <string>
#include <vector>

#include "core/judge.hpp"
#include "stage1_cli/limits.hpp"
#include "tests/catch.hpp"

namespace rps::cli {
namespace {

using std::chrono::seconds;

struct Answer {
  std::uint64_t id = 0;
  Reply reply;
  std::string reason;
};

class Collected final : public Sink {
 public:
  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override {
    CHECK(stamps.received_at >= stamps.sent_at);
    answers.push_back({.id = id, .reply = reply, .reason = std::string(reply.reason)});
  }
  void on_event(const Event& event) override { events.push_back(event); }

  std::vector<Answer> answers;
  std::vector<Event> events;
};

std::unique_ptr<net::StreamClient> open_client(const std::string& query,
                                               std::size_t connections = 1, std::size_t depth = 1) {
  const auto url = parse_url("cli:" RPS_CLI + query);
  REQUIRE(url.has_value());
  return connect(*url, {.connections = connections, .depth = depth});
}

Answer ask(Client& client, Collected& sink, const Command& command) {
  const std::size_t before = sink.answers.size();
  client.submit(before, command);
  while (sink.answers.size() == before) {
    REQUIRE(client.poll(Clock::now() + seconds(10), sink) > 0);
  }
  return sink.answers.back();
}

TEST_CASE("a session over the console is judged and scored") {
  const auto client = open_client("?house=fair&seed=7");
  Collected sink;
  Score score;
  for (std::uint64_t round = 1; round <= 30; ++round) {
    const Move move = all_moves[round % 3];
    const Answer answer =
        ask(*client, sink, {.operation = Operation::play, .move = move, .session_id = "s"});
    REQUIRE_FALSE(answer.reply.error.has_value());
    CHECK(answer.reply.result == judge(move, answer.reply.opponent_move));
    CHECK(answer.reason == reason(move, answer.reply.opponent_move));
    CHECK(answer.reply.round == round);
    score.add(answer.reply.result);
    CHECK(answer.reply.score == score);
  }
  const Answer total = ask(*client, sink, {.operation = Operation::score, .session_id = "s"});
  CHECK(total.reply.score == score);
}

TEST_CASE("a duel over the console tells its events") {
  const auto client = open_client("");
  Collected sink;
  const auto in_duel = [](Operation operation, std::string_view player, Move move) {
    return Command{
        .operation = operation, .move = move, .game_id = "g", .player_id = player, .best_of = 1};
  };
  CHECK(ask(*client, sink, in_duel(Operation::join, "a", Move::unspecified)).reply.seat ==
        Seat::first);
  CHECK(ask(*client, sink, in_duel(Operation::join, "b", Move::unspecified)).reply.seat ==
        Seat::second);
  ask(*client, sink, in_duel(Operation::throw_move, "a", Move::rock));
  ask(*client, sink, in_duel(Operation::throw_move, "b", Move::paper));
  while (sink.events.size() < 7) {
    REQUIRE(client->poll(Clock::now() + seconds(10), sink) > 0);
  }
  CHECK(sink.events.at(2).type == EventType::opponent_ready);
  CHECK(sink.events.at(3).result == Result::lose);
  CHECK(sink.events.at(5).type == EventType::game_over);
  CHECK(sink.events.at(5).winner == Id("b"));
}

TEST_CASE("bad input goes through the seam and comes back as its error") {
  const auto client = open_client("");
  Collected sink;
  const auto error_of = [&](const Command& command) {
    return ask(*client, sink, command).reply.error;
  };
  CHECK(error_of({.operation = Operation::play}) == Error::invalid_move);
  CHECK(error_of({.operation = Operation::score, .session_id = "nobody"}) ==
        Error::unknown_session);
  for (const std::string_view id : {"a b", "\xff\xfe", "a\nplay ROCK", "\r\n", "\t", "\x1b[2J"}) {
    CHECK(error_of({.operation = Operation::play, .move = Move::rock, .session_id = id}) ==
          Error::malformed_request);
  }
  CHECK(error_of({.operation = Operation::score}) == Error::malformed_request);
  CHECK(error_of({.operation = Operation::join, .player_id = "p"}) == Error::malformed_request);
  CHECK(error_of({.operation = Operation::join, .game_id = "g", .player_id = "p", .best_of = 2}) ==
        Error::malformed_request);
  CHECK(error_of({.operation = Operation::leave, .game_id = "g", .player_id = "p"}) ==
        Error::unknown_game);
  CHECK_FALSE(error_of({.operation = Operation::play, .move = Move::rock}).has_value());
}

TEST_CASE("a killed child answers every open call once with unavailable") {
  const auto client = open_client("", 2, 8);
  Collected sink;
  ask(*client, sink, {.operation = Operation::play, .move = Move::rock});
  sink.answers.clear();
  for (const pid_t child : client->children()) ::kill(child, SIGSTOP);
  for (std::uint64_t id = 0; id < client->in_flight_max(); ++id) {
    client->submit(id, {.operation = Operation::play, .move = Move::rock});
  }
  client->poll(Clock::now(), sink);
  for (const pid_t child : client->children()) ::kill(child, SIGKILL);
  std::vector<int> times(client->in_flight_max());
  while (sink.answers.size() < times.size()) {
    REQUIRE(client->poll(Clock::now() + seconds(10), sink) > 0);
  }
  CHECK(client->poll(Clock::now(), sink) == 0);
  for (const Answer& answer : sink.answers) {
    CHECK(answer.reply.error == Error::unavailable);
    ++times.at(answer.id);
  }
  CHECK(times == std::vector<int>(times.size(), 1));
}

TEST_CASE("a line of ten megabytes gets its error, and what follows finds nobody") {
  const auto client = open_client("");
  Collected sink;
  const std::string endless(10'000'000, 'x');
  CHECK(ask(*client, sink, {.operation = Operation::score, .session_id = endless}).reply.error ==
        Error::too_large);
  CHECK(ask(*client, sink, {.operation = Operation::score, .session_id = "s"}).reply.error ==
        Error::unavailable);
}

TEST_CASE("many calls at once come back in order") {
  constexpr std::uint64_t calls = 20'000;
  const auto client = open_client("?seed=1", 1, calls);
  Collected sink;
  for (std::uint64_t id = 0; id < calls; ++id) {
    client->submit(id, {.operation = Operation::play, .move = Move::rock, .session_id = "s"});
  }
  while (sink.answers.size() < calls) {
    REQUIRE(client->poll(Clock::now() + seconds(10), sink) > 0);
  }
  for (std::uint64_t id = 0; id < calls; ++id) {
    REQUIRE(sink.answers[id].id == id);
    REQUIRE(sink.answers[id].reply.round == id + 1);
  }
}

TEST_CASE("a wrong URL or program is an exception, wrong flags make calls unavailable") {
  const auto connect_to = [](const std::string& text) {
    return connect(parse_url(text).value(), {});
  };
  CHECK_THROWS_AS(connect_to("cli:/nonexistent/rps-cli"), std::exception);
  CHECK_THROWS_AS(connect_to("cli:"), std::exception);
  CHECK_THROWS_AS(connect_to("jsonrpc://127.0.0.1:1"), std::exception);
  const auto client = connect_to("cli:" RPS_CLI "?house=casino");
  Collected sink;
  CHECK(ask(*client, sink, {.operation = Operation::score, .session_id = "s"}).reply.error ==
        Error::unavailable);
}

}  // namespace
}  // namespace rps::cli
