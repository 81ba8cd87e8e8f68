// rps.v1.RockPaperScissorsService: which call is answered by what. It decides nothing else.
#pragma once

#include <cstddef>

#include "core/game.hpp"
#include "core/server/metrics.hpp"
#include "rps/v1/rps.grpc.pb.h"
#include "stage3_grpc/desk.hpp"
#include "stage3_grpc/limits.hpp"
#include "stage3_grpc/open_streams.hpp"

namespace rps::rpc {

namespace detail {

// The generated service with the methods below taking bytes (desk.hpp says why). Watch is left as
// generated: it answers UNIMPLEMENTED.
using Methods = v1::RockPaperScissorsService;
using RawMethods = Methods::WithRawCallbackMethod_Play<
    Methods::WithRawCallbackMethod_Score<Methods::WithRawCallbackMethod_PlayMany<
        Methods::WithRawCallbackMethod_Rally<Methods::WithRawCallbackMethod_Duel<
            Methods::WithCallbackMethod_Watch<Methods::Service>>>>>>;

}  // namespace detail

class Service final : public detail::RawMethods {
 public:
  // REQUIRES: all arguments outlive the service.
  Service(Game& game, server::Metrics& metrics, const Limits& limits)
      : game_(game), limits_(limits), desk_(game, metrics) {}

  // From now on requests are answered with `unavailable`; open streams end as soon as what they
  // were asked is answered. Does not block.
  void drain();

 private:
  grpc::ServerUnaryReactor* Play(grpc::CallbackServerContext* context,
                                 const grpc::ByteBuffer* request,
                                 grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Score(grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response) override;
  grpc::ServerReadReactor<grpc::ByteBuffer>* PlayMany(grpc::CallbackServerContext* context,
                                                      grpc::ByteBuffer* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Rally(
      grpc::CallbackServerContext* context) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Duel(
      grpc::CallbackServerContext* context) override;

  Game& game_;
  const Limits& limits_;
  Desk desk_;
  OpenStreams open_streams_;
};

}  // namespace rps::rpc
