#include "core/net/connect.hpp"

#include <cassert>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "core/net/epoll.hpp"

namespace rps::net {

namespace {

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};
using AddressList = std::unique_ptr<addrinfo, FreeAddresses>;

// All addresses of the target, with getaddrinfo's `flags`; or its error code.
std::expected<AddressList, int> look_up(const HostPort& target, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(target.port);
  const int failure = ::getaddrinfo(target.host.c_str(), port.c_str(), &hints, &found);
  if (failure != 0) return std::unexpected(failure);
  return AddressList(found);
}

Address to_address(const addrinfo& info) {
  Address address;
  assert(info.ai_addrlen <= sizeof address.storage);
  std::memcpy(&address.storage, info.ai_addr, info.ai_addrlen);
  address.size = info.ai_addrlen;
  return address;
}

// Waits until the outcome of connecting is known: 0, or why not, as errno says it.
int await_outcome(const Fd& socket, Clock::time_point deadline) {
  pollfd writable{.fd = socket.get(), .events = POLLOUT, .revents = 0};
  for (;;) {
    const timespec timeout = time_left(deadline);
    const int count = ::ppoll(&writable, 1, &timeout, nullptr);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    return count == 0 ? ETIMEDOUT : connect_outcome(socket);
  }
}

// Whether the socket is connected to itself. That happens on one machine: where nobody listens, the
// kernel may choose the port that is called as the caller's own port, and TCP allows it.
bool is_own_echo(const Fd& socket) {
  sockaddr_storage own{};
  sockaddr_storage peer{};
  socklen_t own_size = sizeof own;
  socklen_t peer_size = sizeof peer;
  return ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
         ::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0 &&
         own_size == peer_size && std::memcmp(&own, &peer, own_size) == 0;
}

}  // namespace

std::expected<Address, std::string> parse_address(const HostPort& target) {
  const auto addresses = look_up(target, AI_NUMERICHOST);
  if (!addresses) return std::unexpected("'" + target.host + "' is no IP address");
  return to_address(**addresses);
}

Fd begin_connect(const Address& address) {
  Fd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return {};
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto* const target = reinterpret_cast<const sockaddr*>(&address.storage);
  if (::connect(socket.get(), target, address.size) == 0) return socket;
  if (errno == EINPROGRESS || errno == EINTR) return socket;
  return {};  // Closing it leaves errno as it is.
}

int connect_outcome(const Fd& socket) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error == 0 && is_own_echo(socket) ? ECONNREFUSED : error;
}

Fd connect_tcp(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  const std::string target = host + " port " + std::to_string(port);
  const auto addresses = look_up({.host = host, .port = port}, 0);
  if (!addresses) {
    throw std::system_error(
        std::make_error_code(std::errc::host_unreachable),
        "cannot resolve " + target + " (" + ::gai_strerror(addresses.error()) + ")");
  }
  int error = EADDRNOTAVAIL;
  for (const addrinfo* at = addresses->get(); at != nullptr; at = at->ai_next) {
    Fd socket = begin_connect(to_address(*at));
    error = socket ? await_outcome(socket, deadline) : errno;
    if (error == 0) return socket;
  }
  throw std::system_error(error, std::system_category(), "cannot connect to " + target);
}

}  // namespace rps::net
