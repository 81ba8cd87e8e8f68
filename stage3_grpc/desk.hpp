// Where every request of the service is answered, whatever kind of call brought it: turns down what
// comes too late, reads the bytes, asks the game, counts.
//
// Requests arrive as bytes and not as messages because gRPC's callback API answers bytes that are
// no message with UNIMPLEMENTED, and ends a stream as if its peer had; the contract says
// INVALID_ARGUMENT. All of it may be called from any number of threads at once.
#pragma once

#include <atomic>
#include <expected>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "core/game.hpp"
#include "core/server/metrics.hpp"

namespace rps::rpc {

class Desk {
 public:
  // REQUIRES: both outlive the desk.
  Desk(Game& game, server::Metrics& metrics) : game_(game), metrics_(metrics) {}

  // The bytes of a PlayRequest. `context` is the call that brought them.
  std::expected<Round, Error> play(const grpc::CallbackServerContext& context,
                                   const grpc::ByteBuffer& request);

  // A further round of a call that plays many: goes on when the desk is closed.
  std::expected<Round, Error> play_on(const grpc::CallbackServerContext& context,
                                      const grpc::ByteBuffer& request);

  // The bytes of a ScoreRequest.
  std::expected<Score, Error> score(const grpc::CallbackServerContext& context,
                                    const grpc::ByteBuffer& request);

  // The bytes of a DuelRequest; `caller` hears the events.
  Reply duel(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& request,
             Caller& caller);

  // From now on every request but a further round is answered with `unavailable`.
  void close() { closed_.store(true, std::memory_order_relaxed); }

 private:
  bool is_closed() const { return closed_.load(std::memory_order_relaxed); }
  std::expected<Round, Error> play(const grpc::CallbackServerContext& context,
                                   const grpc::ByteBuffer& request, bool closed);

  Game& game_;
  server::Metrics& metrics_;
  std::atomic<bool> closed_{false};
};

}  // namespace rps::rpc
