// rps-floor-grpc: the floor of a gRPC server. It is built like stage 3's server, with the same
// limits and the same callback API, and answers every Play with the same message. It does not
// decode requests, so its answers are not right.
//
//   rps-floor-grpc REPLY_BYTES
//
// REPLY_BYTES is the size of the message; the reason in it is as long as that takes.
//
// Prints `grpc://127.0.0.1:port`.
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "bench/floors/announce.hpp"
#include "bench/floors/play_response.hpp"
#include "core/net/program.hpp"
#include "rps/v1/rps.grpc.pb.h"
#include "stage3_grpc/limits.hpp"
#include "stage3_grpc/wire.hpp"

namespace {

using Methods = rps::v1::RockPaperScissorsService;

// The methods besides Play are answered with UNIMPLEMENTED. They are callback methods like those of
// stage 3: for a single synchronous one the library would start threads that stage 3 does not have.
using OtherMethods = Methods::WithCallbackMethod_Score<
    Methods::WithCallbackMethod_PlayMany<Methods::WithCallbackMethod_Rally<
        Methods::WithCallbackMethod_Duel<Methods::WithCallbackMethod_Watch<Methods::Service>>>>>;

class Constant final : public Methods::WithRawCallbackMethod_Play<OtherMethods> {
 public:
  explicit Constant(const rps::v1::PlayResponse& response)
      : response_(rps::rpc::to_bytes(response)) {}

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

int run(int argc, char** argv) {
  Constant service(rps::floors::play_response(rps::floors::read_reply_bytes(argc, argv)));
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
