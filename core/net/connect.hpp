// Connecting over TCP: without waiting, in steps for an event loop, or with one call that waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>

#include <sys/socket.h>

#include "core/net/fd.hpp"
#include "core/url.hpp"

namespace rps::net {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// Reads a numeric address; the error is a sentence. Names are refused, because looking one up may
// take seconds, in which an event loop would serve nothing else.
std::expected<Address, std::string> parse_address(const HostPort& target);

// A non-blocking socket with TCP_NODELAY that is connecting, or connected already. It becomes
// writable when the outcome is known. No descriptor, and errno, when it failed at once.
Fd begin_connect(const Address& address);

// Once the socket is writable: 0 when it is connected, else why not, as errno says it.
int connect_outcome(const Fd& socket);

// Connects within `timeout`, waiting for the outcome; all addresses of `host`, which may be a name,
// are tried in turn. Returns a non-blocking socket with TCP_NODELAY. Throws std::system_error.
Fd connect_tcp(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout);

}  // namespace rps::net
