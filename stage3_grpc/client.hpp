// The gRPC client: one player, or many, over one or more HTTP/2 connections.
//
//   grpc://HOST:PORT[?mode=rally|watch][&deadline_ms=N][&resend=1]
//   grpc://HOST:PORT?mode=many[&rounds=N][&deadline_ms=N][&resend=1]
//   grpcs://HOST:PORT[?ca=FILE][&cert=FILE&key=FILE][&name=HOST][&…]
//   grpc://HOST:PORT,HOST:PORT[,…][?…]    likewise with grpcs
//
// play and score are unary calls; with mode=rally, plays go over one Rally stream per connection
// instead. join, throw and leave go over Duel streams, one per connection, opened by the first of
// them; what one player does in one game always takes the same. The other calls of an id take the
// connection `id % connections` while it has room. A call carries a deadline, `deadline_ms` from
// its start (10,000 without it, 0 for none); Rally, Duel and Watch streams carry none. A watch is a
// Watch call of its own.
//
// A reply that contradicts itself is Error::internal. An event that cannot be read, or a response
// to no request, ends its stream: the calls that are open there are answered with
// Error::unavailable, and the next call opens another stream.
//
// With mode=many a play is one PlayMany call of N requests (16 without `rounds`), all with the
// command's move and session. Its reply is the summary: `score` holds how many of these N rounds
// were won, drawn and lost, so score.rounds() == N says that all were played; `round` is 0, and
// opponent_move, result and reason are as in a default-constructed Reply. A summary whose number of
// rounds is not the sum of them is Error::internal. The stamps are of the whole call.
//
// With mode=watch a play is one round of a duel, and its reply is what a spectator of the duel has
// seen: server streaming, measured from end to end. Each call that may be open on a connection has
// a duel of its own there: two players on one Duel stream, and a spectator on a Watch stream. The
// first player throws the command's move, the second one a move that the client draws; the reply is
// given when the spectator is shown the round. It stands alone, whatever session the command names:
// `round` is 0. A round that shows other moves than those thrown is Error::internal. When a duel
// (best of 99) is decided, the next play begins another one; the stamps begin with the throws, when
// all are there.
//
// A call that is open when its server leaves it out of a connection that it closes (GOAWAY, RFC
// 9113, section 6.8) is answered with Error::unavailable. With resend=1 gRPC sends it again, once;
// that takes a fifth more of the client's CPU time for every call, so it is off where one measures.
//
// With several addresses, each of the client's connections is one gRPC channel with a TCP
// connection to each address. A Play or Score goes to the connected servers in turns, and is sent
// again by gRPC when it fails with UNAVAILABLE: 4 attempts in all, within the call's one deadline
// (client_balance.hpp). A server that dies in the middle of a Play may have played it before
// another one plays it again. A stream (Rally, PlayMany, Duel, Watch) stays at the server that gRPC
// chose when it began, and is sent again only when no server has processed it. Each server has its
// own sessions and duels, and no two streams are sure to meet at one server: players and spectators
// of one duel must share the stream, or use one address. connect() succeeds when one address is
// connected. Names are looked up once, in connect(). `resend` is refused, because it is always on.
//
// grpcs is the same over TLS. With several different hosts it needs `name`, which stands in all
// their certificates. The server's certificate must come from an authority in the file `ca`
// (PEM; without it, one of the system's) and name the URL's host, or `name` instead. `cert` and
// `key` are the client's own certificate, for servers that ask for one.
#pragma once

#include <memory>

#include "core/client.hpp"
#include "core/url.hpp"

namespace rps::rpc {

// Opens options.connections connections, each with a TCP connection of its own, or throws
// std::runtime_error. gRPC opens a lost connection again by itself; until then calls are answered
// with `unavailable`.
std::unique_ptr<Client> connect(const Url& url, const ConnectOptions& options);

// Throws std::runtime_error when the URL is wrong, or a file that it names cannot be read.
void check(const Url& url);

}  // namespace rps::rpc
