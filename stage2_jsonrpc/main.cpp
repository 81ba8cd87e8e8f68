// rps-jsonrpc: the game over framed JSON-RPC.
#include "core/server/server.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/server.hpp"

int main(int argc, char** argv) {
  rps::jsonrpc::Limits limits;
  return rps::server::run_server(
      argc, argv,
      {.name = "rps-jsonrpc",
       .description = "Rock, paper, scissors over framed JSON-RPC 2.0 on TCP",
       .add_flags = [&](CLI::App& app) { rps::jsonrpc::add_flags(app, limits); }},
      [&](const rps::server::Context& context) {
        return rps::jsonrpc::make_server(context, limits);
      });
}
