// Listening on TCP, for servers that accept connections themselves.
#pragma once

#include <cstdint>

#include "core/net/fd.hpp"
#include "core/url.hpp"

namespace rps::net {

// Whether other sockets of this user may listen on the same port (SO_REUSEPORT). The kernel then
// distributes the connections over all of them, so two servers could share a port unnoticed.
enum class PortSharing : bool { no, yes };

// A non-blocking socket that listens; connections accepted from it have TCP_NODELAY. Throws
// std::runtime_error that names the address and says why not.
Fd listen_on(const HostPort& address, PortSharing sharing);

// The port that the system chose. Throws std::runtime_error.
std::uint16_t port_of(const Fd& socket);

}  // namespace rps::net
