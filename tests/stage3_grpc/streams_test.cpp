// The calls that stay open: PlayMany, Rally and Duel.
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/contract/status.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/duel_player.hpp"
#include "tests/stage3_grpc/running_server.hpp"

using namespace rps;
using namespace rps::rpc;

namespace {

v1::PlayRequest request_of(v1::Move move, const std::string& session = "") {
  v1::PlayRequest request;
  request.set_player_move(move);
  request.set_session_id(session);
  return request;
}

void check(const grpc::Status& status, Error error) {
  CHECK(status.error_code() == code_of(error));
  CHECK(status.error_message() == to_status(error).error_message());
  CHECK(status.error_details() == to_status(error).error_details());
}

}  // namespace

TEST_CASE("The pause before a stream's next request is in no request's duration") {
  RunningServer at;
  grpc::ClientContext context;
  const auto rally = at.stub->Rally(&context);
  v1::PlayResponse response;
  Clock::duration waited{};
  for (int i = 0; i < 2; ++i) {
    const Clock::time_point began_at = Clock::now();
    REQUIRE(rally->Write(request_of(v1::ROCK)));
    REQUIRE(rally->Read(&response));
    waited += Clock::now() - began_at;
    if (i == 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  CHECK(at.metric("rps_request_duration_seconds_count{operation=\"play\"}") == 2);
  const double took = at.metric("rps_request_duration_seconds_sum{operation=\"play\"}");
  CHECK(took > 0);
  CHECK(took <= std::chrono::duration<double>(waited).count());
  rally->WritesDone();
  CHECK(rally->Finish().ok());
}

TEST_CASE("PlayMany sums up the rounds of this call and no others") {
  RunningServer at;
  for (int call = 0; call < 2; ++call) {
    grpc::ClientContext context;
    v1::PlayManyResponse summary;
    const auto writer = at.stub->PlayMany(&context, &summary);
    for (int i = 0; i < 10; ++i) REQUIRE(writer->Write(request_of(v1::ROCK, "s")));
    writer->WritesDone();
    REQUIRE(writer->Finish().ok());
    CHECK(summary.rounds() == 10);
    CHECK(summary.score().rounds() == 10);
  }
}

TEST_CASE("PlayMany of nothing is zero rounds") {
  RunningServer at;
  grpc::ClientContext context;
  v1::PlayManyResponse summary;
  const auto writer = at.stub->PlayMany(&context, &summary);
  writer->WritesDone();
  REQUIRE(writer->Finish().ok());
  CHECK(summary.rounds() == 0);
}

TEST_CASE("A refused move ends PlayMany with its status") {
  RunningServer at;
  grpc::ClientContext context;
  v1::PlayManyResponse summary;
  const auto writer = at.stub->PlayMany(&context, &summary);
  writer->Write(request_of(v1::ROCK));
  writer->Write(request_of(v1::MOVE_UNSPECIFIED));
  writer->WritesDone();
  check(writer->Finish(), Error::invalid_move);
}

TEST_CASE("Rally answers each request, in order") {
  RunningServer at;
  grpc::ClientContext context;
  const auto stream = at.stub->Rally(&context);
  constexpr std::uint64_t rounds = 50;
  for (std::uint64_t i = 1; i <= rounds; ++i) REQUIRE(stream->Write(request_of(v1::PAPER, "s")));
  stream->WritesDone();
  v1::PlayResponse response;
  for (std::uint64_t i = 1; i <= rounds; ++i) {
    REQUIRE(stream->Read(&response));
    CHECK(response.round() == i);
    CHECK(from_wire(response.result()) == judge(Move::paper, from_wire(response.opponent_move())));
  }
  CHECK_FALSE(stream->Read(&response));
  CHECK(stream->Finish().ok());
}

TEST_CASE("A refused request ends Rally, and what comes behind it is not played") {
  RunningServer at;
  grpc::ClientContext context;
  const auto stream = at.stub->Rally(&context);
  stream->Write(request_of(v1::ROCK, "s"));
  stream->Write(request_of(v1::MOVE_UNSPECIFIED, "s"));
  stream->Write(request_of(v1::ROCK, "s"));
  v1::PlayResponse response;
  CHECK(stream->Read(&response));
  CHECK_FALSE(stream->Read(&response));
  check(stream->Finish(), Error::invalid_move);
  CHECK(at.game.score("s", Clock::now())->rounds() == 1);
}

TEST_CASE("A duel is played to its end, each reply before its events") {
  RunningServer at;
  DuelPlayer alice(*at.stub, "g", "alice");
  DuelPlayer bob(*at.stub, "g", "bob");
  sit_down(alice, bob, 1);

  alice.throw_move(Move::rock);
  CHECK_FALSE(alice.reply(Operation::throw_move).error);
  CHECK(bob.event().type == EventType::opponent_ready);
  alice.throw_move(Move::paper);
  CHECK(alice.reply(Operation::throw_move).error == Error::not_your_turn);

  bob.throw_move(Move::scissors);
  CHECK_FALSE(bob.reply(Operation::throw_move).error);
  const Event seen_by_bob = bob.event();
  CHECK(seen_by_bob.type == EventType::round_over);
  CHECK(seen_by_bob.result == Result::lose);
  CHECK(seen_by_bob.opponent_move == Move::rock);
  const Event seen_by_alice = alice.event();
  CHECK(seen_by_alice.result == Result::win);
  CHECK(seen_by_alice.opponent_move == Move::scissors);
  for (DuelPlayer* const player : {&alice, &bob}) {
    const Event over = player->event();
    CHECK(over.type == EventType::game_over);
    CHECK(over.winner == Id("alice"));
  }

  alice.leave();
  CHECK_FALSE(alice.reply(Operation::leave).error);
  CHECK(bob.event().type == EventType::opponent_left);
  for (DuelPlayer* const player : {&alice, &bob}) {
    player->stream().WritesDone();
    CHECK(player->is_over());
    CHECK(player->stream().Finish().ok());
  }
}

TEST_CASE("A duel's stream goes on after a refused request") {
  RunningServer at;
  DuelPlayer alice(*at.stub, "g", "alice");
  alice.throw_move(Move::rock);
  CHECK(alice.reply(Operation::throw_move).error == Error::unknown_game);
  alice.throw_move(Move::unspecified);
  CHECK(alice.reply(Operation::throw_move).error == Error::invalid_move);
  alice.join(2);
  CHECK(alice.reply(Operation::join).error == Error::malformed_request);
  REQUIRE(alice.stream().Write(v1::DuelRequest()));
  CHECK(alice.reply(Operation::join).error == Error::malformed_request);
  alice.join();
  CHECK_FALSE(alice.reply(Operation::join).error);
}

TEST_CASE("A third finds no chair, and duels past the limit are overloaded") {
  RunningServer at({}, {.seed = 7, .duels_max = 1});
  DuelPlayer alice(*at.stub, "g", "alice");
  DuelPlayer bob(*at.stub, "g", "bob");
  sit_down(alice, bob);
  DuelPlayer carol(*at.stub, "g", "carol");
  carol.join();
  CHECK(carol.reply(Operation::join).error == Error::game_full);
  DuelPlayer dave(*at.stub, "another", "dave");
  dave.join();
  const Reply refused = dave.reply(Operation::join);
  CHECK(refused.error == Error::overloaded);
  CHECK(refused.retry_after_ms == rps::limits::retry_after_ms);
}

TEST_CASE("When a stream breaks the opponent is told, and joining again continues the duel") {
  RunningServer at;
  DuelPlayer alice(*at.stub, "g", "alice");
  {
    DuelPlayer bob(*at.stub, "g", "bob");
    sit_down(alice, bob);
    bob.context().TryCancel();
    CHECK(bob.stream().Finish().error_code() == grpc::CANCELLED);
  }
  CHECK(alice.event().type == EventType::opponent_left);
  DuelPlayer bob(*at.stub, "g", "bob");
  bob.join();
  CHECK(bob.reply(Operation::join).seat == Seat::second);
  CHECK(bob.event().type == EventType::opponent_joined);
  CHECK(alice.event().type == EventType::opponent_joined);
}

TEST_CASE("A peer that leaves its events unread is cut off, and nobody else") {
  RunningServer at({.events_waiting_max = 4});
  grpc::ChannelArguments small_window;
  small_window.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  small_window.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 1024);
  const auto deaf_stub = v1::RockPaperScissorsService::NewStub(
      grpc::CreateCustomChannel(at.target(), grpc::InsecureChannelCredentials(), small_window));
  const std::string game(rps::limits::id_bytes_max, 'g');
  DuelPlayer deaf(*deaf_stub, game, "deaf");
  deaf.join();
  REQUIRE(deaf.reply(Operation::join).seat == Seat::first);

  DuelPlayer busy(*at.stub, game, "busy");
  // Who comes hears of the other, until the other is gone or goes.
  bool cut = false;
  for (int i = 0; i < 20'000 && !cut; ++i) {
    int joined = 0;
    int left = 0;
    const auto count_events = [&] {
      while (busy.reads_event()) {
        ++(busy.last_event().type == EventType::opponent_left ? left : joined);
      }
    };
    busy.join();
    count_events();
    busy.leave();
    count_events();
    cut = joined == 0 || left == 1;
  }
  CHECK(cut);
  CHECK(at.metric("rps_streams_cut_total{method=\"Duel\"}") == 1);
  while (!deaf.is_over()) {
  }
  CHECK(deaf.stream().Finish().error_code() == grpc::CANCELLED);
}

TEST_CASE("Players who read what they are told are not cut, however few events may wait") {
  RunningServer at({.events_waiting_max = 2});
  for (int i = 0; i < 10; ++i) {
    const std::string game = "g" + std::to_string(i);
    DuelPlayer alice(*at.stub, game, "alice");
    DuelPlayer bob(*at.stub, game, "bob");
    sit_down(alice, bob, 1);
    alice.throw_move(Move::rock);
    CHECK_FALSE(alice.reply(Operation::throw_move).error);
    CHECK(bob.event().type == EventType::opponent_ready);
    bob.throw_move(Move::paper);
    CHECK_FALSE(bob.reply(Operation::throw_move).error);
    for (DuelPlayer* const player : {&alice, &bob}) {
      CHECK(player->event().type == EventType::round_over);
      CHECK(player->event().type == EventType::game_over);
    }
  }
  CHECK(at.metric("rps_streams_cut_total{method=\"Duel\"}") == 0);
}

TEST_CASE("Streams that are cancelled midway leave nothing behind") {
  RunningServer at;
  for (int i = 0; i < 50; ++i) {
    grpc::ClientContext many_context;
    v1::PlayManyResponse summary;
    const auto many = at.stub->PlayMany(&many_context, &summary);
    many->Write(request_of(v1::ROCK));
    grpc::ClientContext rally_context;
    const auto rally = at.stub->Rally(&rally_context);
    rally->Write(request_of(v1::ROCK));
    DuelPlayer player(*at.stub, "g" + std::to_string(i), "p");
    player.join();
    many_context.TryCancel();
    rally_context.TryCancel();
    player.context().TryCancel();
    many->Finish();
    rally->Finish();
    player.stream().Finish();
  }
  v1::PlayResponse response;
  grpc::ClientContext context;
  CHECK(at.stub->Play(&context, request_of(v1::ROCK), &response).ok());
}
