// The gRPC client: one player, or many, over one or more HTTP/2 connections.
//
//   grpc://HOST:PORT[?mode=rally][&deadline_ms=N]
//
// play and score are unary calls; with mode=rally, plays go over one Rally stream per connection
// instead. join, throw and leave go over Duel streams, one per connection, opened by the first of
// them; what one player does in one game always takes the same. A unary call carries a deadline,
// `deadline_ms` from its start (10,000 without it, 0 for none); streams carry none.
#pragma once

#include <memory>

#include "core/client.hpp"
#include "core/url.hpp"

namespace rps::rpc {

// Opens options.connections connections, each with a TCP connection of its own, or throws
// std::runtime_error. gRPC opens a lost connection again by itself; until then calls are answered
// with `unavailable`.
std::unique_ptr<Client> connect(const Url& url, const ConnectOptions& options);

}  // namespace rps::rpc
