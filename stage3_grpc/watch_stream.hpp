// One Watch call: a spectator's view of one duel. One request in, observations out.
//
// Observations come from the threads whose commands caused them and wait in a queue, so a spectator
// that reads slowly holds up nobody. One that leaves more than the limit unread loses what waits,
// is no spectator any more, and its call ends with `overloaded`.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "core/game.hpp"
#include "core/server/metrics.hpp"
#include "stage3_grpc/dispatcher.hpp"
#include "stage3_grpc/open_calls.hpp"

namespace rps::rpc {

class WatchStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                          public SpectatorSink,
                          public OpenStream {
 public:
  // The stream owns itself until OnDone; the game's duels hold weak references. All arguments but
  // the request outlive it.
  static WatchStream* open(Dispatcher& dispatcher, Game& game, server::Metrics& metrics,
                           OpenCalls& open, const ServedCall::Door& door,
                           grpc::CallbackServerContext& context, const grpc::ByteBuffer& request,
                           std::size_t waiting_max);

  WatchStream(server::Metrics& metrics, OpenCalls& open, const ServedCall::Door& door,
              grpc::CallbackServerContext& context, std::size_t waiting_max);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  bool on_observation(const Observation& seen) override;
  void drain() override;
  void end_if_silent(Clock::time_point since) override;

 private:
  void answer(Dispatcher& dispatcher, const grpc::ByteBuffer& request);
  void end(const grpc::Status& status);
  void advance();

  server::Metrics& metrics_;
  OpenCalls& open_;
  const OpenCalls::Call open_call_{open_};
  ServedCall call_;
  const std::size_t waiting_max_;
  std::shared_ptr<WatchStream> self_;
  std::optional<Caller> caller_;

  // Guards what follows. Taken under a duel's lock, so the game is never called while it is held.
  std::mutex mutex_;
  std::deque<grpc::ByteBuffer> waiting_;
  grpc::ByteBuffer writing_;                        // Is with gRPC …
  std::optional<Clock::time_point> writing_since_;  // … since then.
  std::optional<grpc::Status> ending_;  // With what the call ends when nothing waits any more.
  bool finished_ = false;
};

}  // namespace rps::rpc
