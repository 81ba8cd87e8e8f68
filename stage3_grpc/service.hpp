// rps.v1.RockPaperScissorsService: its methods, and what answers a call of each.
#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

#include "core/game.hpp"
#include "rps/v1/rps.grpc.pb.h"
#include "stage3_grpc/dispatcher.hpp"
#include "stage3_grpc/limits.hpp"
#include "stage3_grpc/open_calls.hpp"
#include "stage3_grpc/served_call.hpp"
#include "stage3_grpc/stream_cuts.hpp"
#include "stage3_grpc/watch_writer.hpp"

namespace rps::rpc {

namespace detail {

// The generated service with the methods below taking bytes (dispatcher.hpp says why).
using Methods = v1::RockPaperScissorsService;
using RawMethods = Methods::WithRawCallbackMethod_Play<
    Methods::WithRawCallbackMethod_Score<Methods::WithRawCallbackMethod_PlayMany<
        Methods::WithRawCallbackMethod_Rally<Methods::WithRawCallbackMethod_Duel<
            Methods::WithRawCallbackMethod_Watch<Methods::Service>>>>>>;

}  // namespace detail

class Service final : public detail::RawMethods {
 public:
  // REQUIRES: all arguments but `limits` outlive the service.
  Service(Game& game, const ServedCall::Shared& shared, server::Metrics& metrics,
          const Limits& limits, boundary::CallPool& pool)
      : game_(game),
        shared_(shared),
        cuts_(metrics),
        events_waiting_max_(limits.events_waiting_max),
        dispatcher_(game),
        open_calls_(pool) {}

  // Another value for --max-waiting-events, for streams that begin from now on. Any thread.
  void reconfigure(const Limits& fresh) { events_waiting_max_ = fresh.events_waiting_max; }

  // From now on requests are answered with `unavailable`; an open stream ends when the request that
  // it is carrying out is answered. Does not block.
  void drain();

  // After drain(): waits for the ends of the calls that were open then (open_calls.hpp). False when
  // one is still open at the deadline.
  bool wait_for_ends(Clock::time_point deadline) { return open_calls_.wait_for_ends(deadline); }

 private:
  grpc::ServerUnaryReactor* Play(grpc::CallbackServerContext* context,
                                 const grpc::ByteBuffer* request,
                                 grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Score(grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response) override;
  grpc::ServerReadReactor<grpc::ByteBuffer>* PlayMany(grpc::CallbackServerContext* context,
                                                      grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Watch(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Rally(
      grpc::CallbackServerContext* context) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Duel(
      grpc::CallbackServerContext* context) override;

  template <class Request, class Response>
  grpc::ServerUnaryReactor* answer(grpc::CallbackServerContext& context, std::string_view method,
                                   const grpc::ByteBuffer& request, grpc::ByteBuffer& response);

  std::size_t waiting_max() const {
    return static_cast<std::size_t>(events_waiting_max_.load(std::memory_order_relaxed));
  }

  Game& game_;
  const ServedCall::Shared shared_;
  const StreamCuts cuts_;
  std::atomic<int> events_waiting_max_;
  Dispatcher dispatcher_;
  OpenCalls open_calls_;
  WatchWriter watch_writer_;  // Behind all that its streams use, so that it ends first.
};

}  // namespace rps::rpc
