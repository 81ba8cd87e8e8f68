// rps-jsonrpc: the game over framed JSON-RPC.
#include "core/etcd/module.hpp"
#include "core/server/server.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/server.hpp"

int main(int argc, char** argv) {
  return rps::server::run_server<rps::jsonrpc::Server, rps::jsonrpc::Limits>(
      argc, argv,
      {.program = {.name = "rps-jsonrpc",
                   .description = "Rock, paper, scissors over framed JSON-RPC 2.0 on TCP",
                   .directory = rps::etcd::directory_in_module()},
       .add_flags = rps::jsonrpc::add_flags,
       .make = rps::jsonrpc::make_server});
}
