// By what peers are told apart when something is limited for each of them.
#pragma once

#include <string>

#include <sys/socket.h>

namespace rps::net {

// The bytes of an IP address that stand for its owner, without the port. Of an IPv6 address only
// the first half counts: a host chooses the second half itself and may use as many as it likes.
// All of the loopback address and of an IPv4 address in an IPv6 one (RFC 4291, section 2.5.5.2)
// counts. REQUIRES: the family is AF_INET or AF_INET6.
std::string peer_key(const sockaddr_storage& address);

}  // namespace rps::net
