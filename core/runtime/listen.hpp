// Listening on TCP: what every server that accepts by itself needs before it accepts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/runtime/fd.hpp"
#include "core/url.hpp"

namespace spdlog {
class logger;
}

namespace rps::runtime {

// Whether other sockets of this user may listen on the same port. The kernel then deals the
// connections out among them, and nobody is told: two servers could share a port unnoticed.
enum class PortSharing : bool { no, yes };

// A non-blocking socket that listens; connections accepted from it have TCP_NODELAY. Throws
// std::runtime_error that names the address and says why not.
Fd listen_on(const HostPort& address, PortSharing sharing);

// The port that the system chose. Throws std::runtime_error.
std::uint16_t port_of(const Fd& socket);

// Every connection is a descriptor, and the usual soft limit of 1024 would be the real one: raises
// it to what `connections_max` and some others need, as far as the process may, and warns when that
// is not enough. Returns how many connections there may be with what it got.
std::size_t reserve_descriptors(std::size_t connections_max, spdlog::logger& log);

}  // namespace rps::runtime
