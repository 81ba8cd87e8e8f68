// rps-floor-grpc: the floor of a gRPC server. It is built like stage 3's server, with the same
// limits and the same callback API, and answers every Play with the same bytes: as many as a round
// in the middle of a session takes. It does not decode requests, so its answers are not right.
//
//   rps-floor-grpc
//
// Prints `grpc://127.0.0.1:port`.
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "bench/floors/announce.hpp"
#include "core/net/program.hpp"
#include "rps/v1/rps.grpc.pb.h"
#include "stage3_grpc/limits.hpp"
#include "stage3_grpc/wire.hpp"

namespace {

using Methods = rps::v1::RockPaperScissorsService;

// The score in the answer. Each number takes as many bytes as on average in a trial of half a
// second or a second: one of three counts is past 127, which is the greatest that takes one byte.
constexpr std::uint64_t wins = 130;
constexpr std::uint64_t draws = 85;
constexpr std::uint64_t losses = 85;
constexpr std::uint64_t rounds = wins + draws + losses;

// The methods besides Play are answered with UNIMPLEMENTED. They are callback methods like those of
// stage 3: for a single synchronous one the library would start threads that stage 3 does not have.
using OtherMethods = Methods::WithCallbackMethod_Score<
    Methods::WithCallbackMethod_PlayMany<Methods::WithCallbackMethod_Rally<
        Methods::WithCallbackMethod_Duel<Methods::WithCallbackMethod_Watch<Methods::Service>>>>>;

class Constant final : public Methods::WithRawCallbackMethod_Play<OtherMethods> {
 public:
  Constant() {
    rps::v1::PlayResponse response;
    response.set_opponent_move(rps::v1::PAPER);
    response.set_result(rps::v1::WIN);
    response.set_reason("scissors cut paper");  // 18 bytes, the mean over all nine rounds.
    response.set_round(rounds);
    rps::v1::GameScore& score = *response.mutable_score();
    score.set_wins(wins);
    score.set_draws(draws);
    score.set_losses(losses);
    score.set_rounds(rounds);
    response_ = rps::rpc::to_bytes(response);
  }

 private:
  grpc::ServerUnaryReactor* Play(grpc::CallbackServerContext* context, const grpc::ByteBuffer*,
                                 grpc::ByteBuffer* response) override {
    *response = response_;
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ByteBuffer response_;
};

int run() {
  Constant service;
  grpc::ServerBuilder builder;
  rps::rpc::apply(rps::rpc::Limits{}, builder);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterService(&service);
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  const auto server = builder.BuildAndStart();
  if (!server || port == 0) throw std::runtime_error("cannot listen");
  if (!rps::floors::announce("grpc://127.0.0.1:" + std::to_string(port))) return EXIT_FAILURE;
  server->Wait();
  return EXIT_SUCCESS;
}

}  // namespace

int main() {
  return rps::net::run_program("rps-floor-grpc", run);
}
