// What the client does with Watch: a call of it, and plays that are duels seen by a spectator.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>

#include "core/client.hpp"
#include "rps/v1/rps.grpc.pb.h"
#include "stage3_grpc/client_stream.hpp"

namespace rps::rpc {

using Stub = v1::RockPaperScissorsService::Stub;

// A call of Watch, used again and again. It carries no deadline.
class WatchCall {
 public:
  WatchCall() = default;
  WatchCall(const WatchCall&) = delete;
  WatchCall& operator=(const WatchCall&) = delete;

  bool is_open() const { return reader_ != nullptr; }

  // REQUIRES: !is_open().
  void start(Stub& stub, grpc::CompletionQueue& queue, std::string_view game_id);

  // Makes every operation complete soon.
  void cancel() {
    if (context_) context_->TryCancel();
  }

 protected:
  ~WatchCall() = default;

  // A response arrived.
  virtual void take(const v1::WatchResponse& response, Arrival& arrival) = 0;

  // The call is over, and may be started again.
  virtual void ended(const grpc::Status& status, const grpc::ClientContext& context,
                     Arrival& arrival) = 0;

 private:
  void on_started(bool ok, Arrival& arrival);
  void on_read(bool ok, Arrival& arrival);
  void on_finished(bool ok, Arrival& arrival);

  StepTag<WatchCall> started_tag_{*this, &WatchCall::on_started};
  StepTag<WatchCall> read_tag_{*this, &WatchCall::on_read};
  StepTag<WatchCall> finished_tag_{*this, &WatchCall::on_finished};

  std::optional<grpc::ClientContext> context_;
  v1::WatchRequest request_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::WatchResponse>> reader_;
  v1::WatchResponse response_;
  grpc::Status status_;
};

// A play that is a round of a duel, answered when a spectator of the duel has seen the round. Three
// parties on one connection: two players on one Duel stream, and the spectator.
//
//   join, join ──▶ watch ──▶ snapshot ──▶ throw, throw ──▶ round_over: the reply
//                                              ▲                │
//                                              └── next play ───┘
//
// A duel that is decided is left, and the next play begins another one.
class WatchedDuel {
 public:
  // `name` is part of the ids of its games and no other's. REQUIRES: all arguments outlive it.
  WatchedDuel(Stub& stub, grpc::CompletionQueue& queue, std::string name);
  WatchedDuel(const WatchedDuel&) = delete;
  WatchedDuel& operator=(const WatchedDuel&) = delete;

  // REQUIRES: no play is open.
  void play(std::uint64_t id, Move move);
  void cancel();

 protected:
  ~WatchedDuel() = default;

  // The play is about to be answered: the next one may begin from now on.
  virtual void settled() = 0;

 private:
  class Players final : public ClientStream<v1::DuelRequest, v1::DuelResponse> {
   public:
    Players(WatchedDuel& duel, Stub& stub, grpc::CompletionQueue& queue);

    using ClientStream::open_calls;

   private:
    std::unique_ptr<Wire> start(grpc::ClientContext& context, void* tag) override;
    void take(const v1::DuelResponse& response, Arrival& arrival) override;
    void deliver(const Answered& call, const Reply& reply, Arrival& arrival) override;

    WatchedDuel& duel_;
    Stub& stub_;
    grpc::CompletionQueue& queue_;
  };

  class Spectator final : public WatchCall {
   public:
    explicit Spectator(WatchedDuel& duel) : duel_(duel) {}

   private:
    void take(const v1::WatchResponse& response, Arrival& arrival) override;
    void ended(const grpc::Status& status, const grpc::ClientContext& context,
               Arrival& arrival) override;

    WatchedDuel& duel_;
  };

  void open_game();
  void leave_game();
  void throw_moves();
  void say(Operation operation, std::string_view player, Move move = Move::unspecified);
  void note_reply(std::uint64_t game, const Reply& reply, bool by_server, Arrival& arrival);
  void note_response(const v1::WatchResponse& response, Arrival& arrival);
  void note_round(const v1::WatchResponse& response, Arrival& arrival);
  void note_end(const grpc::Status& status, const grpc::ClientContext& context, Arrival& arrival);
  void fail(Reply reply, bool by_server, Arrival& arrival);
  void answer(const Reply& reply, bool by_server, Arrival& arrival);

  Stub& stub_;
  grpc::CompletionQueue& queue_;
  const std::string name_;
  Players players_;
  Spectator spectator_;

  std::uint64_t game_ = 0;  // The number of the game, part of its id.
  std::string game_id_;
  std::size_t joined_ = 0;  // Players who have joined it.
  bool is_on_ = false;      // Both have joined, the spectator watches, and nobody has won.
  bool is_left_ = true;     // The players have left it, or there was none yet.

  std::optional<std::uint64_t> open_;  // The play.
  bool is_thrown_ = false;             // Its moves are on their way.
  Clock::time_point sent_at_;
  Move first_move_ = Move::unspecified;
  Move second_move_ = Move::unspecified;
  std::uint64_t random_;  // Of the second player's moves.
};

}  // namespace rps::rpc
