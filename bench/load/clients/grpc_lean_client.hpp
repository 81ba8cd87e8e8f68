// The lean gRPC client: gRPC's unary calls on bare non-blocking sockets, for measuring a gRPC
// server without measuring gRPC's own client.
//
//   grpc+lean://HOST:PORT[?token=TEXT]
//   grpcs+lean://HOST:PORT[?ca=FILE][&name=HOST][&token=TEXT]
//
// grpcs+lean is the same over TLS; `ca` and `name` are as in stage3_grpc/client.hpp. With `token`
// each call says who calls (`authorization: Bearer TEXT`).
//
// Each connection is one HTTP/2 session (nghttp2) with `depth` streams at most. One event loop
// serves all connections: a poll costs one wait, and one read and one write for each connection
// that has something. play and score are unary calls; join, throw and leave are answered with
// Error::unknown_operation, because a duel needs a streaming call.
//
// No deadline is sent. A call is good when it ends with `:status` 200, a gRPC content type, exactly
// one uncompressed message and `grpc-status` 0. stage3_grpc/contract/status.hpp says what a status
// means.
//
// When a connection ends, or leaves after GOAWAY or after the 2^30 calls that HTTP/2 has numbers
// for, the next call opens another one in its place. Calls that the server has certainly not
// processed are sent again: those that GOAWAY leaves out, and those that never left. Another call
// that ends without a status (RST_STREAM, the end of the connection) is Error::unavailable. A place
// whose connection cannot be opened again at any address of the server, or ends without an answer,
// is out of service; if the client is to outlast outages, it tries again after a while.
#pragma once

#include <memory>

#include "core/client.hpp"
#include "core/url.hpp"

namespace rps::load {

// Opens options.connections connections, or throws std::exception: the URL is wrong, no server
// listens there, or the peer does not speak HTTP/2, without TLS or with it, as the URL wants.
std::unique_ptr<Client> connect_grpc_lean(const Url& url, const ConnectOptions& options);

// Throws std::exception when the URL is wrong, or the file that it names cannot be used.
void check_grpc_lean(const Url& url);

}  // namespace rps::load
