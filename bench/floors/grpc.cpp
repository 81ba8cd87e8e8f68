// rps-floor-grpc: the floor of a gRPC server. It is built like stage 3's server, with the same
// limits and the same callback API, and answers every Play with the same message. It does not
// decode requests, so its answers are not right.
//
//   rps-floor-grpc REPLY_BYTES
//
// REPLY_BYTES is the size of the message; the reason in it is as long as that takes.
//
// Prints `grpc://127.0.0.1:port`.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "bench/floors/announce.hpp"
#include "core/net/program.hpp"
#include "core/number.hpp"
#include "rps/v1/rps.grpc.pb.h"
#include "stage3_grpc/limits.hpp"
#include "stage3_grpc/wire.hpp"

namespace {

using Methods = rps::v1::RockPaperScissorsService;

// The score in the answer: of a round in the middle of a session.
constexpr std::uint64_t wins = 130;
constexpr std::uint64_t draws = 85;
constexpr std::uint64_t losses = 85;
constexpr std::uint64_t rounds = wins + draws + losses;

// From a reason of one byte to the longest whose length takes one.
constexpr rps::CountRange reply_range{.min = 22, .max = 148};

// The methods besides Play are answered with UNIMPLEMENTED. They are callback methods like those of
// stage 3: for a single synchronous one the library would start threads that stage 3 does not have.
using OtherMethods = Methods::WithCallbackMethod_Score<
    Methods::WithCallbackMethod_PlayMany<Methods::WithCallbackMethod_Rally<
        Methods::WithCallbackMethod_Duel<Methods::WithCallbackMethod_Watch<Methods::Service>>>>>;

class Constant final : public Methods::WithRawCallbackMethod_Play<OtherMethods> {
 public:
  explicit Constant(std::size_t reply_bytes) {
    rps::v1::PlayResponse response;
    response.set_opponent_move(rps::v1::PAPER);
    response.set_result(rps::v1::WIN);
    response.set_round(rounds);
    rps::v1::GameScore& score = *response.mutable_score();
    score.set_wins(wins);
    score.set_draws(draws);
    score.set_losses(losses);
    score.set_rounds(rounds);
    // Up to 127 bytes its tag and its length take a byte each.
    response.set_reason(std::string(reply_bytes - response.ByteSizeLong() - 2, 'x'));
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

// Throws std::invalid_argument with the usage.
std::size_t read_reply_bytes(int argc, char** argv) {
  if (argc == 2) {
    if (const auto bytes = rps::parse_size(argv[1], reply_range)) return *bytes;
  }
  throw std::invalid_argument("usage: REPLY_BYTES, from " + std::to_string(reply_range.min) +
                              " to " + std::to_string(reply_range.max));
}

int run(int argc, char** argv) {
  Constant service(read_reply_bytes(argc, argv));
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

int main(int argc, char** argv) {
  return rps::net::run_program("rps-floor-grpc", [&] { return run(argc, argv); });
}
