#include "core/etcd/directory.hpp"
#include "core/server/server.hpp"
#include "stage3_grpc/limits.hpp"
#include "stage3_grpc/server.hpp"

int main(int argc, char** argv) {
  return rps::server::run_server<rps::rpc::GrpcServer, rps::rpc::Limits>(
      argc, argv,
      {.program = {.name = "rps-grpc",
                   .description = "Rock-paper-scissors over gRPC",
                   .threads_help = rps::rpc::GrpcServer::threads_help,
                   .directory = rps::etcd::directory()},
       .add_flags = rps::rpc::add_flags,
       .make = [](const auto& context, const auto& limits) {
         return std::make_unique<rps::rpc::GrpcServer>(context, limits);
       }});
}
