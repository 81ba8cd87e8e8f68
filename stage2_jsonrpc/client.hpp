// The client of this stage:
// `jsonrpc://host:port?codec=json|msgpack|binary&framing=frame|line|http`. Without a query it is
// JSON in frames; lines and HTTP carry JSON only.
#pragma once

#include <memory>

#include "core/client.hpp"
#include "core/net/wire_codec.hpp"
#include "core/url.hpp"

namespace rps::jsonrpc {

// What the URL's query asks for. Throws std::invalid_argument for anything that is not understood.
std::unique_ptr<net::WireCodec> make_codec(const Url& url);

// Opens options.connections TCP connections or throws std::exception, whose what() tells a person
// why not, also of anything in the URL that is not understood.
std::unique_ptr<Client> connect(const Url& url, const ConnectOptions& options);

}  // namespace rps::jsonrpc
