#include "core/net/listen.hpp"

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "core/number.hpp"

namespace rps::net {

namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

[[noreturn]] void refuse(const HostPort& address, const std::string& why) {
  throw std::runtime_error("cannot listen on " + to_string(address) + ": " + why);
}

Addresses resolve(const HostPort& address) {
  const addrinfo hints{.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const int failure = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found);
  if (failure != 0) refuse(address, ::gai_strerror(failure));
  return {found, &::freeaddrinfo};
}

bool set_on(const Fd& socket, int level, int option) {
  const int on = 1;
  return ::setsockopt(socket.get(), level, option, &on, sizeof on) == 0;
}

}  // namespace

Fd listen_on(const HostPort& address, PortSharing sharing) {
  const Addresses found = resolve(address);
  Fd socket(::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket || !set_on(socket, SOL_SOCKET, SO_REUSEADDR) ||
      !set_on(socket, IPPROTO_TCP, TCP_NODELAY) ||
      (sharing == PortSharing::yes && !set_on(socket, SOL_SOCKET, SO_REUSEPORT)) ||
      ::bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0) {
    refuse(address, std::system_category().message(errno));
  }
  return socket;
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
