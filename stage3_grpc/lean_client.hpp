// The lean gRPC client: stage 3's wire on bare non-blocking sockets, for whoever measures a server
// and does not want to measure gRPC's own client.
//
//   grpc+lean://HOST:PORT
//
// Each connection is one HTTP/2 session (nghttp2) with `depth` streams at most, all of them on one
// epoll: a poll costs one wait, and one write and one read or two for each connection that has
// something. play and score are unary calls; join, throw and leave are answered with
// Error::unknown_operation, for a duel needs a stream of its own.
//
// No deadline is sent, no call is tried again, no connection opened again. A call is good when it
// ends with `:status` 200, a gRPC content type, exactly one uncompressed message and `grpc-status`
// 0. What breaks a call without a status (RST_STREAM, the end of the connection, a stream that
// GOAWAY leaves out) is Error::unavailable. What a server has for a status means what status.hpp
// says.
//
// A connection carries 2^30 calls, all that HTTP/2 has numbers for, and is then out of service.
#pragma once

#include <memory>

#include "core/client.hpp"
#include "core/url.hpp"

namespace rps::rpc {

// Opens options.connections connections, or throws std::exception: the URL has more than host and
// port, nobody answers, or who answers does not speak HTTP/2.
std::unique_ptr<Client> connect_lean(const Url& url, const ConnectOptions& options);

}  // namespace rps::rpc
