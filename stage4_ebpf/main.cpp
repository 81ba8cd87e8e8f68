#include "core/server/server.hpp"
#include "stage3_grpc/limits.hpp"
#include "stage3_grpc/server.hpp"
#include "stage4_ebpf/start.hpp"

int main(int argc, char** argv) {
  rps::rpc::Limits limits;
  rps::observe::Mode mode = rps::observe::Mode::automatic;
  const rps::server::Program program{
      .name = "rps-ebpf",
      .description = "Rock-paper-scissors over gRPC, counted in the kernel",
      .threads_help = rps::rpc::GrpcServer::threads_help,
      .add_flags = [&](CLI::App& app) {
        rps::rpc::add_flags(app, limits);
        rps::observe::add_flags(app, mode);
      }};
  return rps::server::run_server(argc, argv, program, [&](const rps::server::Context& context) {
    rps::observe::start_observer(context, mode);  // Before the socket that it is to see.
    return std::make_unique<rps::rpc::GrpcServer>(context, limits);
  });
}
