#include "core/net/peer_key.hpp"

#include <cstddef>

#include <netinet/in.h>

namespace rps::net {

namespace {

template <class Address>
std::string bytes_of(const Address& address, std::size_t size = sizeof(Address)) {
  return {reinterpret_cast<const char*>(&address), size};
}

}  // namespace

std::string peer_key(const sockaddr_storage& address) {
  constexpr std::size_t network_bytes = 8;
  if (address.ss_family == AF_INET) {
    return bytes_of(reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  }
  const in6_addr& host = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&host) || IN6_IS_ADDR_LOOPBACK(&host)) return bytes_of(host);
  return bytes_of(host, network_bytes);
}

}  // namespace rps::net
