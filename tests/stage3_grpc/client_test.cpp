#include "stage3_grpc/client.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/judge.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/loopback_server.hpp"
#include "tests/stage3_grpc/notes.hpp"
#include "tests/stage3_grpc/peer_server.hpp"
#include "tests/stage3_grpc/running_server.hpp"

using namespace rps;
using namespace rps::rpc;

namespace {

std::unique_ptr<Client> open(const RunningServer& at, const std::string& query = "",
                             const ConnectOptions& options = {}) {
  const auto url = parse_url(at.server->url() + query);
  REQUIRE(url);
  return connect(*url, options);
}

// A server that answers each Play with the same bytes.
class BytesServer final : public v1::RockPaperScissorsService::WithRawCallbackMethod_Play<
                              v1::RockPaperScissorsService::Service> {
 public:
  explicit BytesServer(const std::string& bytes) : bytes_(grpc::Slice(bytes)) {}

  std::string url() const { return server_.url(); }

 private:
  grpc::ServerUnaryReactor* Play(grpc::CallbackServerContext* context, const grpc::ByteBuffer*,
                                 grpc::ByteBuffer* response) override {
    *response = grpc::ByteBuffer(&bytes_, 1);
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::Slice bytes_;
  LoopbackServer server_{*this};
};

// A server that tells a player something that is no event before each reply, and answers each round
// of a Rally twice.
class TalkingServer final : public v1::RockPaperScissorsService::Service {
 public:
  std::string url() const { return server_.url(); }
  bool has_ended_rally() const { return has_ended_rally_; }

 private:
  grpc::Status Duel(grpc::ServerContext*,
                    grpc::ServerReaderWriter<v1::DuelResponse, v1::DuelRequest>* stream) override {
    v1::DuelRequest request;
    while (stream->Read(&request)) {
      v1::DuelResponse response;
      response.mutable_event();
      stream->Write(response);
      response.mutable_joined()->set_seat(1);
      stream->Write(response);
    }
    return grpc::Status::OK;
  }

  grpc::Status Rally(grpc::ServerContext*,
                     grpc::ServerReaderWriter<v1::PlayResponse, v1::PlayRequest>* stream) override {
    v1::PlayRequest request;
    v1::PlayResponse response;
    response.set_opponent_move(v1::ROCK);
    response.set_result(v1::DRAW);
    while (stream->Read(&request)) {
      response.set_round(1);
      stream->Write(response);
      response.set_round(2);
      stream->Write(response);
    }
    has_ended_rally_ = true;
    return grpc::Status::OK;
  }

  std::atomic<bool> has_ended_rally_{false};
  LoopbackServer server_{*this};
};

void check_all_unavailable_once(const Notes& notes, std::uint64_t count) {
  CHECK(notes.answers.size() == count);
  for (const auto& [id, times] : notes.answers) CHECK(times == 1);
  for (const auto& [id, reply] : notes.replies) CHECK(reply.error == Error::unavailable);
}

}  // namespace

TEST_CASE("All operations over one connection") {
  RunningServer at;
  const std::string query = GENERATE("", "?mode=rally");
  const auto client = open(at, query);
  Notes notes;
  const Reply played = ask(*client, notes, 1, {.move = Move::rock, .session_id = "s"});
  REQUIRE_FALSE(played.error);
  CHECK(played.result == judge(Move::rock, played.opponent_move));
  CHECK(notes.reasons[1] == reason(Move::rock, played.opponent_move));
  CHECK(played.round == 1);
  CHECK(played.score.rounds() == 1);
  const Reply told = ask(*client, notes, 2, {.operation = Operation::score, .session_id = "s"});
  CHECK(told.score == played.score);

  const auto duel = [](Operation operation, std::string_view player, Move move = {}) {
    return Command{
        .operation = operation, .move = move, .game_id = "g", .player_id = player, .best_of = 1};
  };
  CHECK(ask(*client, notes, 3, duel(Operation::join, "a")).seat == Seat::first);
  CHECK(ask(*client, notes, 4, duel(Operation::join, "b")).seat == Seat::second);
  CHECK_FALSE(ask(*client, notes, 5, duel(Operation::throw_move, "a", Move::rock)).error);
  CHECK_FALSE(ask(*client, notes, 6, duel(Operation::throw_move, "b", Move::paper)).error);
  // Joined twice, ready once, the round and the game for both.
  poll_until(*client, notes, [&] { return notes.events.size() == 7; });
  CHECK(notes.events.back().winner == Id("b"));
  CHECK_FALSE(ask(*client, notes, 7, duel(Operation::leave, "a")).error);
}

TEST_CASE("Wrong requests go out as they are, and what follows them is answered") {
  RunningServer at;
  const std::string query = GENERATE("", "?mode=rally");
  const auto client = open(at, query, {.connections = 1, .depth = 8});
  Notes notes;
  const std::string too_long(65, 'x');
  client->submit(1, {.move = Move::rock});
  client->submit(2, {.move = Move::unspecified});
  client->submit(3, {.move = Move::rock, .session_id = too_long});
  client->submit(4, {.move = Move::rock});
  client->submit(5, {.operation = Operation::score});
  client->submit(6, {.operation = Operation::score, .session_id = "nobody"});
  client->submit(
      7,
      {.operation = Operation::throw_move, .move = Move::rock, .game_id = "g", .player_id = "p"});
  client->submit(8, {.operation = Operation::leave, .game_id = "", .player_id = ""});
  poll_until(*client, notes, [&] { return notes.answers.size() == 8; });
  CHECK_FALSE(notes.replies[1].error);
  CHECK(notes.replies[2].error == Error::invalid_move);
  CHECK(notes.replies[3].error == Error::malformed_request);
  CHECK_FALSE(notes.replies[4].error);
  CHECK(notes.replies[5].error == Error::malformed_request);
  CHECK(notes.replies[6].error == Error::unknown_session);
  CHECK(notes.replies[7].error == Error::unknown_game);
  CHECK(notes.replies[8].error == Error::malformed_request);
}

TEST_CASE("A call above the rate is told when to come again, whatever carries it") {
  RunningServer at({.chain = {.calls_per_second_max = 1, .calls_burst_max = 1}});
  const std::string query = GENERATE("", "?mode=rally", "?mode=many", "?mode=watch");
  const auto client = open(at, query);
  Notes notes;
  Reply reply;
  for (std::uint64_t id = 1; !reply.error; ++id)
    reply = ask(*client, notes, id, {.move = Move::rock});
  CHECK(reply.error == Error::overloaded);
  CHECK(reply.retry_after_ms > 0);
}

TEST_CASE("A response that is cut off is no answer, whatever its first fields say") {
  v1::PlayResponse draw;
  draw.set_opponent_move(v1::ROCK);
  draw.set_result(v1::DRAW);
  draw.set_reason("both threw rock");
  const std::string whole = draw.SerializeAsString();
  const std::size_t cut_off = GENERATE(0, 1);
  const BytesServer server(whole.substr(0, whole.size() - cut_off));
  const auto client = connect(*parse_url(server.url()), {});
  Notes notes;
  const std::optional<Error> expected =
      cut_off == 0 ? std::nullopt : std::optional(Error::internal);
  CHECK(ask(*client, notes, 1, {.move = Move::rock}).error == expected);
  CHECK(ask(*client, notes, 2, {.move = Move::rock}).error == expected);
}

TEST_CASE("Something that is no event ends the stream of its players") {
  const TalkingServer server;
  const auto client = connect(*parse_url(server.url()), {});
  Notes notes;
  const Command join{.operation = Operation::join, .game_id = "g", .player_id = "p"};
  CHECK(ask(*client, notes, 1, join).error == Error::unavailable);
  CHECK(ask(*client, notes, 2, join).error == Error::unavailable);
  CHECK(notes.events.empty());
}

TEST_CASE("A response that no request asked for ends its stream") {
  const TalkingServer server;
  const auto client = connect(*parse_url(server.url() + "?mode=rally"), {});
  Notes notes;
  CHECK(ask(*client, notes, 1, {.move = Move::rock}).round == 1);
  const Clock::time_point deadline = Clock::now() + patience;
  while (!server.has_ended_rally() && Clock::now() < deadline) {
    client->poll(Clock::now() + std::chrono::milliseconds(1), notes);
  }
  CHECK(server.has_ended_rally());
}

TEST_CASE("Many connections and calls, submitted again from the reply") {
  RunningServer at;
  const std::string query = GENERATE("", "?mode=rally");
  const auto client = open(at, query, {.connections = 4, .depth = 8});
  REQUIRE(client->in_flight_max() == 32);
  Notes notes;
  std::uint64_t next = 0;
  constexpr std::uint64_t total = 2000;
  const auto submit = [&] {
    if (next < total) client->submit(next, {.move = move_at(next % 3)}), ++next;
  };
  notes.again = [&](std::uint64_t id) {
    const Reply& reply = notes.replies[id];
    REQUIRE_FALSE(reply.error);
    CHECK(reply.result == judge(move_at(id % 3), reply.opponent_move));
    submit();
  };
  for (std::size_t i = 0; i < client->in_flight_max(); ++i) submit();
  poll_until(*client, notes, [&] { return notes.answers.size() == total; });
  for (const auto& [id, times] : notes.answers) REQUIRE(times == 1);
}

TEST_CASE("poll() waits for its deadline and no longer than it must") {
  RunningServer at;
  const auto client = open(at);
  Notes notes;
  CHECK(client->poll(Clock::now() - std::chrono::seconds(1), notes) == 0);
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(5);
  CHECK(client->poll(deadline, notes) == 0);
  CHECK(Clock::now() >= deadline);
}

TEST_CASE("A server that goes away answers every open call with unavailable, once") {
  const std::string query = GENERATE("", "?mode=rally", "?mode=watch");
  auto at = std::make_unique<RunningServer>();
  const auto client = open(*at, query, {.connections = 2, .depth = 4});
  Notes notes;
  REQUIRE_FALSE(ask(*client, notes, 100, {.move = Move::rock}).error);
  REQUIRE_FALSE(
      ask(*client, notes, 101, {.operation = Operation::join, .game_id = "g", .player_id = "p"})
          .error);
  notes = Notes();
  at.reset();
  const std::size_t count = client->in_flight_max();
  for (std::uint64_t id = 0; id < count; ++id) {
    const Operation operation = id % 2 == 0 ? Operation::play : Operation::throw_move;
    client->submit(id,
                   {.operation = operation, .move = Move::rock, .game_id = "g", .player_id = "p"});
  }
  poll_until(*client, notes, [&] { return notes.answers.size() == count; });
  client->poll(Clock::now(), notes);
  check_all_unavailable_once(notes, count);
}

TEST_CASE("A client that goes away with open calls does not hang") {
  RunningServer at;
  const std::string query = GENERATE("", "?mode=rally", "?mode=watch");
  const auto client = open(at, query, {.connections = 2, .depth = 2});
  client->submit(1, {.move = Move::rock});
  client->submit(2, {.operation = Operation::join, .game_id = "g", .player_id = "p"});
  client->submit(3, {.operation = Operation::watch, .game_id = "g"});
}

TEST_CASE("A duel that is watched is shown after the reply, to its end") {
  RunningServer at;
  const auto client = open(at, "", {.connections = 2});
  Notes notes;
  const Command watch{.operation = Operation::watch, .game_id = "g"};
  CHECK(ask(*client, notes, 1, watch).error == Error::unknown_game);
  const auto duel = [](Operation operation, std::string_view player, Move move = {}) {
    return Command{
        .operation = operation, .move = move, .game_id = "g", .player_id = player, .best_of = 1};
  };
  REQUIRE_FALSE(ask(*client, notes, 2, duel(Operation::join, "a")).error);
  const Reply watched = ask(*client, notes, 3, watch);
  CHECK_FALSE(watched.error);
  CHECK(watched.operation == Operation::watch);
  REQUIRE_FALSE(ask(*client, notes, 4, duel(Operation::join, "b")).error);
  REQUIRE_FALSE(ask(*client, notes, 5, duel(Operation::throw_move, "a", Move::rock)).error);
  REQUIRE_FALSE(ask(*client, notes, 6, duel(Operation::throw_move, "b", Move::paper)).error);
  poll_until(*client, notes, [&] { return !notes.seen.empty() && notes.seen.back().is_over; });
  std::vector<ObservationType> types;
  for (const Observation& seen : notes.seen) types.push_back(seen.type);
  CHECK(types == std::vector{ObservationType::snapshot, ObservationType::joined,
                             ObservationType::ready, ObservationType::round_over,
                             ObservationType::game_over});
  CHECK(notes.seen.back().winner == Id("b"));
  CHECK_FALSE(ask(*client, notes, 7, watch).error);
}

TEST_CASE("With mode=watch a play is a round of a duel that a spectator has seen") {
  RunningServer at;
  const auto client = open(at, "?mode=watch", {.connections = 2, .depth = 2});
  REQUIRE(client->in_flight_max() == 4);
  Notes notes;
  std::uint64_t next = 0;
  constexpr std::uint64_t total = 2'000;  // More than four duels, best of 99.
  const auto submit = [&] {
    if (next < total) client->submit(next, {.move = move_at(next % 3)}), ++next;
  };
  notes.again = [&](std::uint64_t id) {
    const Reply& reply = notes.replies[id];
    REQUIRE_FALSE(reply.error);
    REQUIRE(reply.operation == Operation::play);
    CHECK(reply.result == judge(move_at(id % 3), reply.opponent_move));
    CHECK(notes.reasons[id] == reason(move_at(id % 3), reply.opponent_move));
    CHECK(reply.round == 0);
    submit();
  };
  for (std::size_t i = 0; i < client->in_flight_max(); ++i) submit();
  poll_until(*client, notes, [&] { return notes.answers.size() == total; });
  for (const auto& [id, times] : notes.answers) REQUIRE(times == 1);
  CHECK(notes.seen.empty());
  CHECK(at.metric("rps_duels_created_total") > 4);
  CHECK(at.metric("rps_requests_total{operation=\"throw\",error_class=\"ok\"}") == 2 * total);
}

TEST_CASE("With mode=watch a play that the server refuses is answered, and so is the next one") {
  const GameOptions no_room{.seed = 7, .duels_max = 1, .spectators_max = 1};
  RunningServer at({}, no_room);
  const auto client = open(at, "?mode=watch");
  const auto other = open(at);
  Notes notes;
  // A move that is none is refused as a throw, and the duel is given up for another one.
  CHECK(ask(*client, notes, 1, {.move = Move::unspecified}).error == Error::invalid_move);
  CHECK_FALSE(ask(*client, notes, 2, {.move = Move::rock}).error);
  // The one place for a duel is taken: there is none for a client that has just left its own.
  const Reply refused =
      ask(*other, notes, 3, {.operation = Operation::join, .game_id = "g", .player_id = "p"});
  CHECK(refused.error == Error::overloaded);
  CHECK_FALSE(ask(*client, notes, 4, {.move = Move::rock}).error);
  CHECK(ask(*open(at, "?mode=watch"), notes, 5, {.move = Move::rock}).error == Error::overloaded);
}

TEST_CASE("What cannot be opened is told") {
  RunningServer at;
  const ConnectOptions impatient{.timeout_max = std::chrono::milliseconds(50)};
  const auto nobody = parse_url("grpc://127.0.0.1:1");
  CHECK_THROWS_WITH(connect(*nobody, impatient), Catch::Contains("127.0.0.1:1"));
  CHECK_THROWS(open(at, "?mode=tennis"));
  CHECK_THROWS(open(at, "?deadline_ms=soon"));
  CHECK_THROWS(open(at, "?resend=2"));
  CHECK_THROWS(open(at, "?colour=red"));
}

TEST_CASE("With mode=many a call is many rounds and its reply their summary") {
  RunningServer at;
  const auto client = open(at, "?mode=many&rounds=7", {.connections = 2, .depth = 2});
  Notes notes;
  for (std::uint64_t id = 0; id < 4; ++id) client->submit(id, {.move = Move::rock});
  poll_until(*client, notes, [&] { return notes.answers.size() == 4; });
  for (const auto& [id, reply] : notes.replies) {
    CHECK_FALSE(reply.error);
    CHECK(reply.operation == Operation::play);
    CHECK(reply.round == 0);
    CHECK(reply.score.rounds() == 7);
  }
  CHECK(at.counted("play", "ok", 28));

  // The rounds of a session count on; the summary is of the call.
  for (std::uint64_t id = 10; id < 12; ++id) {
    CHECK(ask(*client, notes, id, {.move = Move::paper, .session_id = "s"}).score.rounds() == 7);
  }
  CHECK(
      ask(*client, notes, 12, {.operation = Operation::score, .session_id = "s"}).score.rounds() ==
      14);
  CHECK(ask(*client, notes, 13, {.move = Move::unspecified}).error == Error::invalid_move);
}

TEST_CASE("Calls of one id take the connection of that id, wherever they are made") {
  const PeerServer at;
  const auto client = connect(*parse_url("grpc://" + at.target()), {.connections = 3, .depth = 2});
  check_ids_stay(*client, 3, 6);
}
