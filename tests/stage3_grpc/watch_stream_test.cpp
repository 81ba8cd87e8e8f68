// Watch: what a spectator sees, and how the call ends.
#include "stage3_grpc/watch_stream.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/contract/status.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/duel_player.hpp"
#include "tests/stage3_grpc/running_server.hpp"

using namespace rps;
using namespace rps::rpc;

namespace {

class Spectator {
 public:
  Spectator(v1::RockPaperScissorsService::Stub& stub, const std::string& game) {
    v1::WatchRequest request;
    request.set_game_id(game);
    reader_ = stub.Watch(&context_, request);
  }

  bool reads() { return reader_->Read(&response_); }
  const v1::WatchResponse& response() const { return response_; }

  Observation next() {
    REQUIRE(reads());
    const auto seen = read(response_);
    REQUIRE(seen);
    return *seen;
  }
  ObservationType next_type() { return next().type; }

  // REQUIRES: all was read.
  grpc::Status end() {
    REQUIRE_FALSE(reads());
    return reader_->Finish();
  }

  grpc::ClientContext& context() { return context_; }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> reader_;
  v1::WatchResponse response_;
};

void check(const grpc::Status& status, Error error) {
  CHECK(status.error_code() == code_of(error));
  CHECK(status.error_message() == to_status(error).error_message());
}

// Waits until the server counts so many spectators.
void wait_for_spectators(const RunningServer& at, double count) {
  while (at.metric("rps_spectators") != count) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

TEST_CASE("A spectator sees a duel from how it stands to its end") {
  RunningServer at;
  DuelPlayer alice(*at.stub, "g", "alice");
  DuelPlayer bob(*at.stub, "g", "bob");
  alice.join(1);
  REQUIRE(alice.reply(Operation::join).seat == Seat::first);

  Spectator spectator(*at.stub, "g");
  const Observation first = spectator.next();
  CHECK(first.type == ObservationType::snapshot);
  CHECK(first.game_id == Id("g"));
  CHECK(first.best_of == 1);
  CHECK(first.players[0].id == Id("alice"));
  CHECK(first.players[0].present);
  CHECK(first.players[1].id.empty());

  bob.join();
  CHECK(spectator.next_type() == ObservationType::joined);
  CHECK(read(spectator.response())->seat == Seat::second);

  bob.throw_move(Move::paper);
  const Observation ready = spectator.next();
  CHECK(ready.type == ObservationType::ready);
  CHECK(ready.seat == Seat::second);
  CHECK(ready.players[1].ready);
  CHECK_FALSE(ready.players[0].ready);

  alice.throw_move(Move::rock);
  const Observation round = spectator.next();
  CHECK(round.type == ObservationType::round_over);
  CHECK(round.moves == std::array{Move::rock, Move::paper});
  CHECK(round.rounds == 1);
  CHECK(round.players[1].score == Score{.wins = 1, .draws = 0, .losses = 0});
  CHECK(spectator.response().round_over().first_result() == v1::LOSE);
  CHECK(spectator.response().round_over().reason() == "paper covers rock");

  const Observation end = spectator.next();
  CHECK(end.type == ObservationType::game_over);
  CHECK(end.is_over);
  CHECK(end.winner == Id("bob"));
  CHECK(spectator.end().ok());
  CHECK(at.counted("watch", "ok", 1));
  CHECK(at.metric("rps_spectators") == 0);

  Spectator late(*at.stub, "g");
  const Observation only = late.next();
  CHECK(only.type == ObservationType::snapshot);
  CHECK(only.is_over);
  CHECK(only.winner == Id("bob"));
  CHECK(late.end().ok());
}

TEST_CASE("A duel that its players leave ends for its spectators, too") {
  RunningServer at;
  DuelPlayer alice(*at.stub, "g", "alice");
  alice.join();
  REQUIRE_FALSE(alice.reply(Operation::join).error);
  Spectator spectator(*at.stub, "g");
  CHECK(spectator.next_type() == ObservationType::snapshot);
  alice.leave();
  CHECK(spectator.next_type() == ObservationType::left);
  const Observation end = spectator.next();
  CHECK(end.type == ObservationType::game_over);
  CHECK(end.winner.empty());
  CHECK(spectator.end().ok());
}

TEST_CASE("Watching is refused without a duel, without an id and past the limits") {
  RunningServer at({}, {.seed = 7, .spectators_per_duel_max = 1});
  check(Spectator(*at.stub, "g").end(), Error::unknown_game);
  check(Spectator(*at.stub, "").end(), Error::malformed_request);
  check(Spectator(*at.stub, "a b").end(), Error::malformed_request);
  DuelPlayer alice(*at.stub, "g", "alice");
  alice.join();
  REQUIRE_FALSE(alice.reply(Operation::join).error);
  {
    Spectator spectator(*at.stub, "g");
    REQUIRE(spectator.next_type() == ObservationType::snapshot);
    Spectator refused(*at.stub, "g");
    check(refused.end(), Error::overloaded);
    CHECK(refused.context().GetServerTrailingMetadata().contains(retry_after_key));
    spectator.context().TryCancel();
  }
  wait_for_spectators(at, 0);
  Spectator next(*at.stub, "g");
  CHECK(next.next_type() == ObservationType::snapshot);
  CHECK(at.counted("watch", "overloaded", 1));
}

TEST_CASE("A spectator that does not read is cut off, and the players are not disturbed") {
  RunningServer at({.events_waiting_max = 4});
  const std::string game(rps::limits::id_bytes_max, 'g');
  DuelPlayer alice(*at.stub, game, "alice");
  DuelPlayer bob(*at.stub, game, "bob");
  sit_down(alice, bob, rps::limits::best_of_max);

  grpc::ChannelArguments small_window;
  small_window.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  small_window.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  small_window.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 1024);
  const auto deaf_stub = v1::RockPaperScissorsService::NewStub(
      grpc::CreateCustomChannel(at.target(), grpc::InsecureChannelCredentials(), small_window));
  Spectator deaf(*deaf_stub, game);
  Spectator reader(*at.stub, game);
  CHECK(deaf.next_type() == ObservationType::snapshot);
  CHECK(reader.next_type() == ObservationType::snapshot);

  // Draws, so that the duel goes on for as long as it takes.
  std::uint64_t rounds = 0;
  while (at.metric("rps_streams_cut_total{method=\"Watch\"}") == 0) {
    for (DuelPlayer* const player : {&alice, &bob}) {
      player->throw_move(Move::rock);
      while (player->reads_event()) {
      }
    }
    ++rounds;
    REQUIRE(reader.next_type() == ObservationType::ready);
    REQUIRE(reader.next().rounds == rounds);
  }
  CHECK(at.metric("rps_spectators") == 1);
  while (deaf.reads()) {
  }
  check(deaf.end(), Error::overloaded);
  alice.throw_move(Move::paper);
  CHECK(reader.next_type() == ObservationType::ready);
}

TEST_CASE("A server that drains ends what is watched with unavailable") {
  RunningServer at;
  DuelPlayer alice(*at.stub, "g", "alice");
  alice.join();
  REQUIRE_FALSE(alice.reply(Operation::join).error);
  Spectator spectator(*at.stub, "g");
  REQUIRE(spectator.next_type() == ObservationType::snapshot);
  at.server->stop_accepting();
  check(Spectator(*at.stub, "g").end(), Error::unavailable);
  // The players' streams end at the same time, so one may be seen to leave.
  while (spectator.reads()) CHECK(read(spectator.response())->type == ObservationType::left);
  check(spectator.end(), Error::unavailable);
}

TEST_CASE("Spectators that come and go while a duel is played leave nothing behind") {
  RunningServer at;
  DuelPlayer alice(*at.stub, "g", "alice");
  DuelPlayer bob(*at.stub, "g", "bob");
  sit_down(alice, bob, rps::limits::best_of_max);
  std::vector<std::jthread> crowd;
  for (int i = 0; i < 4; ++i) {
    crowd.emplace_back([&at] {
      for (int visit = 0; visit < 50; ++visit) {
        grpc::ClientContext context;
        v1::WatchRequest request;
        request.set_game_id("g");
        const auto reader = at.stub->Watch(&context, request);
        v1::WatchResponse response;
        if (visit % 2 == 0) reader->Read(&response);
        context.TryCancel();
        reader->Finish();
      }
    });
  }
  for (int round = 0; round < 100; ++round) {
    for (DuelPlayer* const player : {&alice, &bob}) {
      player->throw_move(Move::rock);
      while (player->reads_event()) {
      }
      CHECK_FALSE(player->last_reply(Operation::throw_move).error);
    }
  }
  crowd.clear();
  wait_for_spectators(at, 0);
  CHECK(at.metric("rps_streams_cut_total{method=\"Watch\"}") == 0);
}
