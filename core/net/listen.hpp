// Listening on TCP, for servers that accept connections themselves.
#pragma once

#include <cstdint>
#include <vector>

#include "core/net/address.hpp"
#include "core/net/fd.hpp"
#include "core/url.hpp"

namespace rps::net {

// Whether other sockets of this user may listen on the same port (SO_REUSEPORT). The kernel then
// distributes the connections over all of them, so two servers could share a port unnoticed.
enum class PortSharing : bool { no, yes };

// Non-blocking sockets that listen on every address of the host, which may be a name, on one port;
// connections accepted from them have TCP_NODELAY. An address that this machine does not have (IPv6
// may be off) is left out as long as there is another. Throws std::runtime_error that names
// `address` and says why not.
std::vector<Fd> listen_on(const HostPort& address, PortSharing sharing);

// The same for a host with these addresses. REQUIRES: there is one, none is there twice, and all
// have the port of `address`.
std::vector<Fd> listen_on(const HostPort& address, const std::vector<Address>& addresses,
                          PortSharing sharing);

// The port that the system chose. Throws std::runtime_error.
std::uint16_t port_of(const Fd& socket);

}  // namespace rps::net
