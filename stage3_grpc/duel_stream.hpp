// One Duel call: requests in, replies and events out. When the stream ends, however it ends, the
// players who joined on it leave their duels: their opponents are told, and joining again, on any
// stream, continues the duels.
//
// Replies are written in the order of their requests, each before the events that its request
// caused. Events come from the thread whose request caused them and wait in a queue until gRPC
// takes them. When more would wait than the limit, because the peer does not read, the stream is
// cancelled: its status is CANCELLED, and what waits is lost. The next request is read when the
// reply to the last one is written. A stream whose caller is not known ends with that status behind
// the refusal, because none of its requests can do better.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "core/game.hpp"
#include "stage3_grpc/dispatcher.hpp"
#include "stage3_grpc/open_calls.hpp"
#include "stage3_grpc/served_call.hpp"

namespace prometheus {
class Counter;
}  // namespace prometheus

namespace rps::rpc {

class DuelStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public EventSink,
                         public OpenStream {
 public:
  // The stream owns itself until OnDone; the game's duels hold weak references. All arguments
  // outlive it.
  static DuelStream* open(Dispatcher& dispatcher, Game& game, prometheus::Counter& cuts,
                          OpenCalls& open, const ServedCall::Shared& shared,
                          grpc::CallbackServerContext& context, std::size_t events_waiting_max);

  DuelStream(Dispatcher& dispatcher, prometheus::Counter& cuts, OpenCalls& open,
             const ServedCall::Shared& shared, grpc::CallbackServerContext& context,
             std::size_t events_waiting_max);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override;
  void on_event(const Event& event) override;
  void drain() override;

 private:
  // A message to write. A reply is queued when its request arrives, and ready when it is made.
  struct Outgoing {
    bool is_reply = false;
    bool is_ready = false;
    grpc::ByteBuffer bytes;
  };

  void advance();

  Dispatcher& dispatcher_;
  prometheus::Counter& cuts_;
  OpenCalls& open_;
  const OpenCalls::Call open_call_{open_};
  ServedCall call_;
  const std::size_t events_waiting_max_;
  std::shared_ptr<DuelStream> self_;
  std::optional<Caller> caller_;
  grpc::ByteBuffer request_;

  // Guards what follows. Taken under a duel's lock, so the game is never called while it is held.
  std::mutex mutex_;
  std::deque<Outgoing> outgoing_;   // In the order of writing.
  std::size_t events_waiting_ = 0;  // Of these, without the one that is with gRPC.
  bool answering_ = false;          // A request is with the game.
  bool writing_ = false;            // The front of `outgoing_` is with gRPC.
  bool closing_ = false;            // No further request is read: write the rest and end.
  bool broken_ = false;             // Nothing that is written arrives.
  std::optional<Error> ending_;     // Why it ends, unless the peer asks no more.
  bool finished_ = false;
};

}  // namespace rps::rpc
