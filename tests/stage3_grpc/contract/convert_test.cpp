#include "stage3_grpc/contract/convert.hpp"

#include "tests/catch.hpp"

using namespace rps;
using namespace rps::rpc;

TEST_CASE("Every move and result keeps its meaning there and back") {
  for (const Move move : all_moves) CHECK(from_wire(to_wire(move)) == move);
  CHECK(from_wire(to_wire(Move::unspecified)) == Move::unspecified);
  for (const Result result : {Result::win, Result::draw, Result::lose}) {
    CHECK(from_wire(to_wire(result)) == result);
  }
}

TEST_CASE("The spelling on this wire is the spelling on every wire") {
  for (const Move move : all_moves) CHECK(v1::Move_Name(to_wire(move)) == to_string(move));
  CHECK(v1::Move_Name(to_wire(Move::unspecified)) == to_string(Move::unspecified));
  for (const Result result : {Result::win, Result::draw, Result::lose}) {
    CHECK(v1::Result_Name(to_wire(result)) == to_string(result));
  }
}

TEST_CASE("A number that names nothing is no move and no result") {
  for (const int number : {-1, 0, 4, 127, 1 << 30}) {
    CHECK(from_wire(static_cast<v1::Move>(number)) == Move::unspecified);
    CHECK_FALSE(from_wire(static_cast<v1::Result>(number)));
  }
}

TEST_CASE("Every command against the house arrives as it was asked") {
  v1::PlayRequest play;
  write(Command{.operation = Operation::play, .move = Move::paper, .session_id = "s"}, play);
  CHECK(read(play).operation == Operation::play);
  CHECK(read(play).move == Move::paper);
  CHECK(read(play).session_id == "s");
  v1::ScoreRequest score;
  write(Command{.operation = Operation::score, .session_id = "s"}, score);
  CHECK(read(score).operation == Operation::score);
  CHECK(read(score).session_id == "s");
}

TEST_CASE("Every reply of the house arrives as it was given") {
  const Score score{.wins = 1, .draws = 2, .losses = 3};
  v1::PlayResponse played;
  write(Reply{.operation = Operation::play,
              .opponent_move = Move::rock,
              .result = Result::lose,
              .reason = "rock crushes scissors",
              .round = 6,
              .score = score},
        played);
  const Reply reply = read(played);
  CHECK(reply.operation == Operation::play);
  CHECK_FALSE(reply.error);
  CHECK(reply.opponent_move == Move::rock);
  CHECK(reply.result == Result::lose);
  CHECK(reply.reason == "rock crushes scissors");
  CHECK(reply.round == 6);
  CHECK(reply.score == score);
  v1::ScoreResponse scored;
  write(Reply{.operation = Operation::score, .score = score}, scored);
  CHECK(read(scored).operation == Operation::score);
  CHECK_FALSE(read(scored).error);
  CHECK(read(scored).score == score);
}

TEST_CASE("Every command of a duel arrives as it was asked") {
  const Command join{.operation = Operation::join, .game_id = "g", .player_id = "p", .best_of = 7};
  const Command throw_move{
      .operation = Operation::throw_move, .move = Move::paper, .game_id = "g", .player_id = "p"};
  const Command leave{.operation = Operation::leave, .game_id = "g", .player_id = "p"};
  for (const Command& command : {join, throw_move, leave}) {
    v1::DuelRequest request;
    write(command, request);
    const auto read_back = read(request);
    REQUIRE(read_back);
    CHECK(read_back->operation == command.operation);
    CHECK(read_back->move == command.move);
    CHECK(read_back->game_id == command.game_id);
    CHECK(read_back->player_id == command.player_id);
    CHECK(read_back->best_of == command.best_of);
  }
}

TEST_CASE("best_of left out is the default, and zero is zero") {
  v1::DuelRequest request;
  request.mutable_join();
  CHECK(read(request)->best_of == limits::best_of_default);
  request.mutable_join()->set_best_of(0);
  CHECK(read(request)->best_of == 0);
}

TEST_CASE("A duel's request that says nothing is no command") {
  CHECK_FALSE(read(v1::DuelRequest()));
}

TEST_CASE("Every reply of a duel arrives as it was given") {
  v1::DuelResponse response;
  write(Reply{.operation = Operation::join, .seat = Seat::second, .best_of = 5}, response);
  const Reply joined = read(response, Operation::join);
  CHECK_FALSE(joined.error);
  CHECK(joined.seat == Seat::second);
  CHECK(joined.best_of == 5);
  CHECK(read(response, Operation::leave).error == Error::internal);

  write(Reply{.operation = Operation::throw_move}, response);
  CHECK_FALSE(read(response, Operation::throw_move).error);
  write(Reply{.operation = Operation::leave}, response);
  CHECK_FALSE(read(response, Operation::leave).error);
  for (const Error error : all_errors) {
    write(Reply{.operation = Operation::join, .error = error, .retry_after_ms = 100}, response);
    const Reply refused = read(response, Operation::join);
    CHECK(refused.error == error);
    CHECK(refused.retry_after_ms == 100);
  }
}

TEST_CASE("A seat that does not exist is the server's mistake") {
  v1::DuelResponse response;
  for (const std::uint32_t seat : {0U, 3U, 258U}) {
    response.mutable_joined()->set_seat(seat);
    CHECK(read(response, Operation::join).error == Error::internal);
  }
}

TEST_CASE("Every event arrives as it happened") {
  const Event plain{.game_id = Id("g"), .player_id = Id("p")};
  for (const EventType type : {EventType::opponent_joined, EventType::opponent_ready,
                               EventType::opponent_left, EventType::game_over}) {
    Event event = plain;
    event.type = type;
    v1::GameEvent wire;
    write(event, wire);
    const auto read_back = read(wire);
    REQUIRE(read_back);
    CHECK(read_back->type == type);
    CHECK(read_back->game_id == plain.game_id);
    CHECK(read_back->player_id == plain.player_id);
    CHECK(read_back->winner.empty());
  }
}

TEST_CASE("A round's end keeps moves, result, round and score") {
  const Event event{.type = EventType::round_over,
                    .game_id = Id("g"),
                    .player_id = Id("p"),
                    .player_move = Move::rock,
                    .opponent_move = Move::paper,
                    .result = Result::lose,
                    .round = 9,
                    .score = {.wins = 1, .draws = 2, .losses = 3}};
  v1::GameEvent wire;
  write(event, wire);
  const auto read_back = read(wire);
  REQUIRE(read_back);
  CHECK(read_back->player_move == event.player_move);
  CHECK(read_back->opponent_move == event.opponent_move);
  CHECK(read_back->result == event.result);
  CHECK(read_back->round == event.round);
  CHECK(read_back->score == event.score);
}

TEST_CASE("The winner's name arrives") {
  v1::GameEvent wire;
  write(Event{.type = EventType::game_over,
              .game_id = Id("g"),
              .player_id = Id("p"),
              .winner = Id("q")},
        wire);
  CHECK(read(wire)->winner == Id("q"));
}

TEST_CASE("Every observation arrives as it was made") {
  Observation seen{.game_id = Id("g"),
                   .best_of = 5,
                   .rounds = 3,
                   .players = {{{.id = Id("p"),
                                 .present = true,
                                 .ready = true,
                                 .score = {.wins = 1, .draws = 2, .losses = 0}},
                                {}}}};
  for (const ObservationType type :
       {ObservationType::snapshot, ObservationType::joined, ObservationType::ready,
        ObservationType::round_over, ObservationType::game_over, ObservationType::left}) {
    const bool is_of_player = type == ObservationType::joined || type == ObservationType::ready ||
                              type == ObservationType::left;
    seen.type = type;
    seen.seat = is_of_player ? Seat::second : Seat::none;
    seen.moves = {};
    if (type == ObservationType::round_over) seen.moves = {Move::rock, Move::paper};
    seen.is_over = type == ObservationType::game_over;
    seen.winner = seen.is_over ? Id("q") : Id();
    seen.players[1].id = seen.is_over ? Id("q") : Id();
    v1::WatchResponse response;
    write(seen, response);
    CHECK(read(response) == seen);
  }
}

TEST_CASE("A round that a spectator sees has its result and reason") {
  v1::WatchResponse response;
  write(Observation{.type = ObservationType::round_over,
                    .moves = {Move::scissors, Move::rock},
                    .game_id = Id("g"),
                    .rounds = 1},
        response);
  CHECK(response.round_over().round() == 1);
  CHECK(response.round_over().first_result() == v1::LOSE);
  CHECK(response.round_over().reason() == "rock crushes scissors");
}

TEST_CASE("A foreign server's observation that says nothing, or nonsense, is none") {
  const auto good = [] {
    v1::WatchResponse response;
    response.mutable_state()->set_game_id("g");
    response.mutable_joined()->set_seat(1);
    return response;
  };
  REQUIRE(read(good()));
  CHECK_FALSE(read(v1::WatchResponse()));
  v1::WatchResponse response = good();
  response.mutable_joined()->set_seat(3);
  CHECK_FALSE(read(response));
  response = good();
  response.mutable_state()->set_winner("not an id");
  CHECK_FALSE(read(response));
  response = good();
  response.mutable_state()->add_players()->set_seat(1);
  CHECK_FALSE(read(response));
  response = good();
  response.mutable_round_over()->set_first_move(v1::ROCK);
  CHECK_FALSE(read(response));
  response.mutable_round_over()->set_second_move(v1::ROCK);
  CHECK_FALSE(read(response));
  response.mutable_round_over()->set_first_result(v1::DRAW);
  CHECK(read(response));
  response = good();
  response.clear_event();
  CHECK_FALSE(read(response));
}

TEST_CASE("A foreign server's event that says nothing, or nonsense, is none") {
  const auto event_of_duel = [] {
    v1::GameEvent event;
    event.set_game_id("g");
    event.set_player_id("p");
    return event;
  };
  const auto round = [&] {
    v1::GameEvent event = event_of_duel();
    v1::RoundOver& over = *event.mutable_round_over();
    over.set_player_move(v1::ROCK);
    over.set_opponent_move(v1::PAPER);
    over.set_result(v1::LOSE);
    over.mutable_score()->set_losses(1);
    over.mutable_score()->set_rounds(1);
    return event;
  };
  CHECK_FALSE(read(event_of_duel()));
  REQUIRE(read(round()));
  v1::GameEvent event = round();
  event.mutable_round_over()->clear_player_move();
  CHECK_FALSE(read(event));
  event = round();
  event.mutable_round_over()->set_opponent_move(static_cast<v1::Move>(4));
  CHECK_FALSE(read(event));
  event = round();
  event.mutable_round_over()->clear_result();
  CHECK_FALSE(read(event));
  event = round();
  event.mutable_round_over()->mutable_score()->set_rounds(2);
  CHECK_FALSE(read(event));
  event = event_of_duel();
  event.mutable_game_over()->mutable_score()->set_rounds(2);
  CHECK_FALSE(read(event));
}

TEST_CASE("What a foreign server must not say is its mistake") {
  v1::PlayResponse response;
  CHECK(read(response).error == Error::internal);
  response.set_opponent_move(v1::ROCK);
  CHECK(read(response).error == Error::internal);
  response.set_result(v1::WIN);
  CHECK_FALSE(read(response).error);
  response.mutable_score()->set_rounds(1);
  CHECK(read(response).error == Error::internal);

  v1::ScoreResponse score;
  score.set_wins(1);
  CHECK(read(score).error == Error::internal);

  CHECK_FALSE(read(v1::GameEvent()));
  v1::GameEvent event;
  event.set_game_id("not an id");
  event.set_player_id("p");
  event.mutable_opponent_left();
  CHECK_FALSE(read(event));
}
