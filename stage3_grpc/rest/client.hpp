// The client of the REST gateway: `http+rest://HOST:PORT[?token=TEXT]`. With `token` each call says
// who calls.
//
// It plays and asks for scores; duels are refused with unknown_operation. As with every client of
// core/net/stream_client.hpp, up to `depth` calls are under way on a connection at once (HTTP
// pipelining, RFC 9112, section 9.3.2), the first one of a connection alone.
#pragma once

#include <memory>

#include "core/client.hpp"
#include "core/fleet/connect.hpp"
#include "core/net/wire_codec.hpp"
#include "core/url.hpp"

namespace rps::rpc::rest {

// What the URL asks for. Throws std::invalid_argument for anything that is not understood.
std::unique_ptr<net::WireCodec> make_codec(const Url& url);

// Opens options.connections TCP connections or throws std::exception, whose what() tells a person
// why not, also of anything in the URL that is not understood.
std::unique_ptr<Client> connect(const Url& url, const ConnectOptions& options);

// For core/fleet/connect.hpp: instances of scheme http+rest. `token` is that of their URLs.
fleet::Wire fleet_wire();

}  // namespace rps::rpc::rest
