#include "core/net/listen.hpp"

#include <algorithm>
#include <cerrno>
#include <expected>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "core/number.hpp"

namespace rps::net {

namespace {

// How many ports are tried when the system may choose one.
constexpr int choices_max = 16;

[[noreturn]] void refuse(const HostPort& address, const std::string& why) {
  throw std::runtime_error("cannot listen on " + to_string(address) + ": " + why);
}

// Each address once: a name may stand for one in several ways.
std::vector<Address> resolve(const HostPort& address) {
  const addrinfo hints{.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const int failure = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found);
  if (failure != 0) refuse(address, ::gai_strerror(failure));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  std::vector<Address> addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    const Address next = to_address(*at);
    if (std::ranges::find(addresses, next) == addresses.end()) addresses.push_back(next);
  }
  return addresses;
}

bool set_on(const Fd& socket, int level, int option) {
  const int on = 1;
  return ::setsockopt(socket.get(), level, option, &on, sizeof on) == 0;
}

// No descriptor, and errno, when it cannot listen there. An IPv6 socket takes IPv4 connections only
// when it is the only one.
Fd listen_at(const Address& address, PortSharing sharing, bool is_only_one) {
  Fd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const bool is_ipv6 = address.storage.ss_family == AF_INET6;
  const bool listens = socket && set_on(socket, SOL_SOCKET, SO_REUSEADDR) &&
                       set_on(socket, IPPROTO_TCP, TCP_NODELAY) &&
                       (is_only_one || !is_ipv6 || set_on(socket, IPPROTO_IPV6, IPV6_V6ONLY)) &&
                       (sharing == PortSharing::no || set_on(socket, SOL_SOCKET, SO_REUSEPORT)) &&
                       ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage),
                              address.size) == 0 &&
                       ::listen(socket.get(), SOMAXCONN) == 0;
  return listens ? std::move(socket) : Fd();
}

bool is_absent(int error) {
  return error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

void set_port(Address& address, std::uint16_t port) {
  if (address.storage.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in&>(address.storage).sin_port = htons(port);
  }
}

// The error is errno.
std::expected<std::vector<Fd>, int> listen_at_all(std::vector<Address> addresses,
                                                  PortSharing sharing) {
  std::vector<Fd> sockets;
  int absent = 0;
  for (Address& address : addresses) {
    if (!sockets.empty()) set_port(address, port_of(sockets.front()));
    Fd socket = listen_at(address, sharing, addresses.size() == 1);
    if (socket) {
      sockets.push_back(std::move(socket));
    } else if (is_absent(errno)) {
      absent = errno;
    } else {
      return std::unexpected(errno);
    }
  }
  if (sockets.empty()) return std::unexpected(absent);
  return sockets;
}

}  // namespace

std::vector<Fd> listen_on(const HostPort& address, PortSharing sharing) {
  return listen_on(address, resolve(address), sharing);
}

std::vector<Fd> listen_on(const HostPort& address, const std::vector<Address>& addresses,
                          PortSharing sharing) {
  for (int attempt = 1;; ++attempt) {
    auto sockets = listen_at_all(addresses, sharing);
    if (sockets) return *std::move(sockets);
    // The port that the system chose at one address may be taken at another.
    const bool may_choose = address.port == 0 && addresses.size() > 1;
    const bool is_taken = sockets.error() == EADDRINUSE;
    if (!is_taken || !may_choose || attempt == choices_max) {
      refuse(address, std::system_category().message(sockets.error()));
    }
  }
}

std::uint16_t port_of(const Fd& socket) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  char port[8] = "";
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0 ||
      ::getnameinfo(reinterpret_cast<sockaddr*>(&name), size, nullptr, 0, port, sizeof port,
                    NI_NUMERICSERV) != 0) {
    throw std::runtime_error("cannot read the port that was chosen");
  }
  return parse_number<std::uint16_t>(port).value();
}

}  // namespace rps::net
