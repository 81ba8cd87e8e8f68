// Connecting over TCP without ever waiting.
#pragma once

#include <expected>
#include <string>

#include <sys/socket.h>

#include "core/net/fd.hpp"
#include "core/url.hpp"

namespace rps::fleet {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// Reads a numeric address; the error is a sentence. Names are refused: looking one up may take
// seconds, and the caller is an event loop.
std::expected<Address, std::string> parse_address(const HostPort& target);

// A non-blocking socket with TCP_NODELAY that is connecting, or connected already. It becomes
// writable when the outcome is known. No descriptor, and errno, when it failed at once.
net::Fd begin_connect(const Address& address);

// Once the socket is writable: 0 when it is connected, else why not, as errno says it.
int connect_outcome(const net::Fd& socket);

}  // namespace rps::fleet
