// A client of stage 2 that sends the same ready-made request again and again and compares only the
// beginning of a reply. Its call costs the load's CPU a fraction of what a call of jsonrpc: costs,
// so that a trial measures the server, or its floor, and not the client.
#pragma once

#include <memory>
#include <string>

#include "core/client.hpp"
#include "core/net/wire_codec.hpp"
#include "core/url.hpp"

namespace rps::load {

// A codec whose request is always the same `play` in a session, encoded once by `whole`, whatever
// the command says.
//
// `whole` decodes the first reply. If that is no error, its beginning is kept, and later replies
// that begin likewise are taken for good ones without being decoded: their Reply is a
// default-constructed one to a play. A reply that begins otherwise is decoded by `whole`, so errors
// and broken bytes are what they are for every client.
//
// What is compared: of a frame its type, of an HTTP response its head up to the length; then the
// payload up to and including the word "result", or in the fixed layout up to the status.
std::unique_ptr<net::WireCodec> make_lean_codec(std::unique_ptr<net::WireCodec> whole);

// `jsonrpc+lean://HOST:PORT?codec=…&framing=…`, with the parameters of stage2_jsonrpc/client.hpp.
// Replies framed as lines are all decoded. Throws std::exception.
std::unique_ptr<Client> connect_jsonrpc_lean(const Url& url, const ConnectOptions& options);

// Throws std::invalid_argument when the URL is wrong.
void check_jsonrpc_lean(const Url& url);

// The bytes of its request. `url` is of jsonrpc or jsonrpc+lean. Throws std::invalid_argument.
std::string ready_made_request(const Url& url);

}  // namespace rps::load
