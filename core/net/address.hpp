// The addresses of servers, and finding them by name.
#pragma once

#include <cstring>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <netdb.h>
#include <sys/socket.h>

#include "core/url.hpp"

namespace rps::net {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  bool operator==(const Address& other) const {
    return size == other.size && std::memcmp(&storage, &other.storage, size) == 0;
  }
};

// REQUIRES: the address is not longer than any that a socket can have.
Address to_address(const addrinfo& info);

// Reads a numeric address; nothing when the host is a name. Never waits.
std::optional<Address> parse_address(const HostPort& target);

// The address at the other end of a connected socket, for the log: "127.0.0.1:40000",
// "[::1]:40000". "a peer that has gone" when the socket is not connected over IP any more.
std::string peer_text(int fd);

// At least one address, each once, in the order in which they are to be tried; or a sentence that
// says why there is none.
using FoundAddresses = std::expected<std::vector<Address>, std::string>;

// Finds all addresses of a host. Several threads may call it at once.
using LookUp = std::function<FoundAddresses(const HostPort& target)>;

// Asks the system's resolver, which may take seconds for a name. The addresses come in the
// resolver's order (RFC 6724), but families in turns (RFC 8305, section 4): where one family leads
// nowhere, the other is not tried last.
FoundAddresses look_up(const HostPort& target);

}  // namespace rps::net
