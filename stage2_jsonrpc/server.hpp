// The server of this stage, for server::run_server().
#pragma once

#include <memory>

#include "core/server/server.hpp"
#include "stage2_jsonrpc/limits.hpp"

namespace rps::jsonrpc {

class Server : public server::Server {
 public:
  // See server::Stage.
  virtual void reconfigure(const Limits& fresh) = 0;
};

// Listens at flags.listen with flags.threads threads, or throws std::exception.
std::unique_ptr<Server> make_server(const server::Context& context, const Limits& limits);

}  // namespace rps::jsonrpc
