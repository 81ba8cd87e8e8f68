// Clients for the floors. They exchange a fixed number of bytes without meaning over the transports
// that the stages use. The reply of a floor is a default-constructed Reply to a play, and the
// referee does not check it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "core/client.hpp"
#include "core/net/stream_client.hpp"
#include "core/url.hpp"

namespace rps::load {

// `echo://HOST:PORT?request=N&reply=M`: M bytes come back for every N over TCP (rps-floor-echo).
// Throws std::exception.
std::unique_ptr<Client> connect_echo(const Url& url, const ConnectOptions& options);

// `echo+pipe:PATH?request=N&reply=M`: the same with children, each `PATH N M` (rps-floor-pipe).
// Throws std::exception.
std::unique_ptr<net::StreamClient> connect_echo_pipe(const Url& url, const ConnectOptions& options);

// `echo+http://HOST:PORT?request=N`: the same POST with N bytes again and again on a connection
// that stays open; a response other than 200 breaks it (rps-floor-http). Throws std::exception.
std::unique_ptr<Client> connect_echo_http(const Url& url, const ConnectOptions& options);

// Of these URLs in turn. Throw std::invalid_argument when the URL is wrong.
void check_echo(const Url& url);
void check_echo_pipe(const Url& url);
void check_echo_http(const Url& url);

}  // namespace rps::load
