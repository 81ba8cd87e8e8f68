// From the bytes of a request to its reply, for every kind of call:
//
//   decode ──▶ the chain ──▶ refuse a late request ──▶ Game::handle ──▶ encode ──▶ the chain
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

#include "core/game.hpp"
#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/served_call.hpp"
#include "stage3_grpc/wire.hpp"

namespace rps::rpc {

// Any number of threads may call it at once.
class Dispatcher {
 public:
  // What becomes of a request that comes after close(). serve: for a further request of a call that
  // has played a round before, which PlayMany needs.
  enum class AfterClose : std::uint8_t { refuse, serve };

  // REQUIRES: the game outlives the dispatcher.
  explicit Dispatcher(Game& game) : game_(game) {}

  // Carries out the request of type `Request` in `bytes`, which came in `call` from `caller`, if
  // the chain lets it pass. The reply is passed to `encode`, which makes the bytes to send, and
  // returned. Errors are those of the chain and of Game::handle, and malformed_request,
  // deadline_exceeded and unavailable.
  template <class Request, std::invocable<const Reply&> Encode>
  Reply answer(ServedCall& call, const grpc::ByteBuffer& bytes, Caller& caller, Encode encode,
               AfterClose after_close = AfterClose::refuse);

  // From now on requests are answered with `unavailable`.
  void close() { closed_.store(true, std::memory_order_relaxed); }

 private:
  static Reply refused(const chain::Refusal& refusal, const chain::CallInfo& call);
  Reply carry_out(const std::optional<Command>& command, const grpc::CallbackServerContext& context,
                  Caller& caller, AfterClose after_close, Clock::time_point now);

  Game& game_;
  std::atomic<bool> closed_{false};
};

template <class Request, std::invocable<const Reply&> Encode>
Reply Dispatcher::answer(ServedCall& call, const grpc::ByteBuffer& bytes, Caller& caller,
                         Encode encode, AfterClose after_close) {
  chain::CallInfo& info = call.info();
  info.began_at = Clock::now();
  const std::optional<Request> request = parse<Request>(bytes);
  std::optional<Command> command;
  if (request) command = read(*request);  // Its views point into the request.
  info.operation = command ? std::optional(command->operation) : operation_of<Request>;
  const chain::GameChain::Passage passage = call.chain().begin(info);
  const Reply reply = passage.refusal()
                          ? refused(*passage.refusal(), info)
                          : carry_out(command, call.context(), caller, after_close, info.began_at);
  encode(reply);
  call.chain().end(info, passage, {.error = reply.error, .ended_at = Clock::now()});
  return reply;
}

}  // namespace rps::rpc
