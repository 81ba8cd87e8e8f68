#include "core/etcd/directory.hpp"
#include "core/server/server.hpp"
#include "stage3_grpc/server.hpp"
#include "stage4_ebpf/settings.hpp"

int main(int argc, char** argv) {
  return rps::server::run_server<rps::rpc::GrpcServer, rps::observe::Settings>(
      argc, argv,
      {.program = {.name = "rps-ebpf",
                   .description = "Rock-paper-scissors over gRPC, counted in the kernel",
                   .threads_help = rps::rpc::GrpcServer::threads_help,
                   .directory = rps::etcd::directory()},
       .add_flags = [](auto& app, auto& settings) { rps::observe::add_flags(app, settings); },
       .make =
           [](const auto& context, const auto& settings) {
             rps::observe::start_observer(context,
                                          settings.mode);  // Before the socket it is to see.
             return std::make_unique<rps::rpc::GrpcServer>(context, settings);
           }});
}
