// From a URL to a client: the only place in the harness that knows the transports by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "core/client.hpp"

namespace rps::load {

struct Connection {
  std::unique_ptr<Client> client;
  std::vector<pid_t> children;  // The processes that a `cli:` URL starts; empty for all others.
};

// Whether this build can speak to `scheme`: inproc, cli, jsonrpc, jsonrpc+fleet, grpc, grpcs.
bool speaks(std::string_view scheme);

// Opens a client, or throws std::exception whose what() says why not: the URL is wrong, its scheme
// is unknown or left out of this build, or nobody answers there.
Connection connect(std::string_view url, const ConnectOptions& options);

}  // namespace rps::load
