// A player of a duel who uses an ordinary generated stub.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "rps/v1/rps.grpc.pb.h"
#include "stage3_grpc/contract/convert.hpp"
#include "tests/catch.hpp"

namespace rps::rpc {

// One end of a Duel stream, asked line by line.
class DuelPlayer {
 public:
  DuelPlayer(v1::RockPaperScissorsService::Stub& stub, std::string game, std::string player)
      : game_(std::move(game)), player_(std::move(player)), stream_(stub.Duel(&context_)) {}

  void send(const Command& command) {
    v1::DuelRequest request;
    write(command, request);
    REQUIRE(stream_->Write(request));
  }
  void join(std::uint32_t best_of = 3) {
    send(
        {.operation = Operation::join, .game_id = game_, .player_id = player_, .best_of = best_of});
  }
  void throw_move(Move move) {
    send(
        {.operation = Operation::throw_move, .move = move, .game_id = game_, .player_id = player_});
  }
  void leave() { send({.operation = Operation::leave, .game_id = game_, .player_id = player_}); }

  Reply reply(Operation asked) {
    REQUIRE(stream_->Read(&response_));
    return last_reply(asked);
  }
  Reply last_reply(Operation asked) const {
    REQUIRE_FALSE(response_.has_event());
    return read(response_, asked);
  }
  Event event() {
    REQUIRE(reads_event());
    return last_event();
  }
  bool reads_event() {
    REQUIRE(stream_->Read(&response_));
    return response_.has_event();
  }
  Event last_event() const {
    const auto event = read(response_.event());
    REQUIRE(event);
    return *event;
  }
  bool is_over() { return !stream_->Read(&response_); }

  grpc::ClientContext& context() { return context_; }
  grpc::ClientReaderWriter<v1::DuelRequest, v1::DuelResponse>& stream() { return *stream_; }

 private:
  std::string game_;
  std::string player_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::DuelRequest, v1::DuelResponse>> stream_;
  v1::DuelResponse response_;
};

inline void sit_down(DuelPlayer& first, DuelPlayer& second, std::uint32_t best_of = 3) {
  first.join(best_of);
  REQUIRE(first.reply(Operation::join).seat == Seat::first);
  second.join();
  const Reply joined = second.reply(Operation::join);
  REQUIRE(joined.seat == Seat::second);
  REQUIRE(joined.best_of == best_of);
  REQUIRE(second.event().type == EventType::opponent_joined);
  REQUIRE(first.event().type == EventType::opponent_joined);
}

}  // namespace rps::rpc
