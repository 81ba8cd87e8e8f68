#include "core/server/server.hpp"
#include "stage3_grpc/limits.hpp"
#include "stage3_grpc/server.hpp"

int main(int argc, char** argv) {
  rps::rpc::Limits limits;
  const rps::server::Program program{
      .name = "rps-grpc",
      .description = "Rock-paper-scissors over gRPC",
      .threads_help = rps::rpc::GrpcServer::threads_help,
      .add_flags = [&limits](CLI::App& app) { rps::rpc::add_flags(app, limits); }};
  return rps::server::run_server(argc, argv, program, [&limits](const auto& context) {
    return std::make_unique<rps::rpc::GrpcServer>(context, limits);
  });
}
