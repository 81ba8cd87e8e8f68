// The client of this stage: `jsonrpc://host:port`, with `?codec=json` understood.
#pragma once

#include <memory>

#include "core/client.hpp"
#include "core/url.hpp"

namespace rps::jsonrpc {

// Opens options.connections TCP connections or throws std::exception, whose what() tells a person
// why not.
std::unique_ptr<Client> connect(const Url& url, const ConnectOptions& options);

}  // namespace rps::jsonrpc
