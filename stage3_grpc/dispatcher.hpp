// From the bytes of a request to its reply, for every kind of call:
//
//   decode ──▶ refuse a late request ──▶ Game::handle ──▶ encode ──▶ count
//
// Methods of this service take and give bytes (grpc::ByteBuffer), not the generated messages,
// because gRPC's callback API answers bytes that it cannot parse by itself, before any code of ours
// runs: a unary call gets UNIMPLEMENTED, and a stream's read fails as if the peer had closed
// (server_callback_handlers.h of gRPC 1.51). The contract says INVALID_ARGUMENT.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <optional>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "core/game.hpp"
#include "core/server/metrics.hpp"
#include "stage3_grpc/convert.hpp"
#include "stage3_grpc/wire.hpp"

namespace rps::rpc {

// What a request of a type asks for; none when that stands in the message.
template <class Request>
inline constexpr std::optional<Operation> operation_of = std::nullopt;
template <>
inline constexpr std::optional<Operation> operation_of<v1::PlayRequest> = Operation::play;
template <>
inline constexpr std::optional<Operation> operation_of<v1::ScoreRequest> = Operation::score;

// Any number of threads may call it at once.
class Dispatcher {
 public:
  // Whether a request that comes after close() is refused: all are, but the further ones of a call
  // whose first request came before.
  enum class AfterClose : std::uint8_t { refuse, serve };

  // REQUIRES: both outlive the dispatcher.
  Dispatcher(Game& game, server::Metrics& metrics) : game_(game), metrics_(metrics) {}

  // Carries out the request of type `Request` in `bytes`, which came in the call `context` from
  // `caller`. The reply is passed to `encode`, which makes the bytes to send, and returned. Errors
  // are those of Game::handle, and malformed_request, deadline_exceeded and unavailable.
  template <class Request, std::invocable<const Reply&> Encode>
  Reply answer(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& bytes,
               Caller& caller, Encode encode, AfterClose after_close = AfterClose::refuse);

  // From now on requests are answered with `unavailable`.
  void close() { closed_.store(true, std::memory_order_relaxed); }

 private:
  class InFlight;

  Reply carry_out(const std::optional<Command>& command, const grpc::CallbackServerContext& context,
                  Caller& caller, AfterClose after_close, Clock::time_point now);

  Game& game_;
  server::Metrics& metrics_;
  std::atomic<bool> closed_{false};
};

// While it lives, a request is in flight.
class Dispatcher::InFlight {
 public:
  explicit InFlight(server::Metrics& metrics) : metrics_(metrics) { metrics_.call_began(); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  ~InFlight() { metrics_.call_ended(); }

 private:
  server::Metrics& metrics_;
};

template <class Request, std::invocable<const Reply&> Encode>
Reply Dispatcher::answer(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& bytes,
                         Caller& caller, Encode encode, AfterClose after_close) {
  const InFlight in_flight(metrics_);
  const Clock::time_point began_at = Clock::now();
  const std::optional<Request> request = parse<Request>(bytes);
  std::optional<Command> command;
  if (request) command = read(*request);  // Its views point into the request.
  const Reply reply = carry_out(command, context, caller, after_close, began_at);
  encode(reply);
  const auto operation = command ? std::optional(command->operation) : operation_of<Request>;
  metrics_.answered(operation, reply.error, Clock::now() - began_at);
  return reply;
}

}  // namespace rps::rpc
