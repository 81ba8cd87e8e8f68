#include "core/server/self_probe.hpp"

#include <string>
#include <string_view>
#include <system_error>

#include <poll.h>
#include <sys/socket.h>

#include "core/clock.hpp"
#include "core/net/endpoint.hpp"

namespace rps::server {

namespace {

constexpr std::string_view request =
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
constexpr std::string_view wanted = "HTTP/1.1 200 ";

HostPort reachable(const HostPort& address) {
  if (address.host == "0.0.0.0") return {.host = "127.0.0.1", .port = address.port};
  if (address.host == "::") return {.host = "::1", .port = address.port};
  return address;
}

// The first bytes of the answer, as many as `wanted` has; fewer when they do not come in time.
std::string read_start(const net::Fd& socket, Clock::time_point until) {
  std::string start;
  while (start.size() < wanted.size()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) break;
    pollfd readable{.fd = socket.get(), .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, static_cast<int>(left.count())) != 1) continue;
    char bytes[wanted.size()];
    const ssize_t size = ::recv(socket.get(), bytes, wanted.size() - start.size(), 0);
    if (size <= 0) break;
    start.append(bytes, static_cast<std::size_t>(size));
  }
  return start;
}

}  // namespace

bool answers_http(const HostPort& address, std::chrono::milliseconds time_max) {
  const Clock::time_point until = Clock::now() + time_max;
  try {
    const net::Fd socket = net::Endpoint(reachable(address)).connect(time_max);
    const ssize_t sent = ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
    return sent == static_cast<ssize_t>(request.size()) && read_start(socket, until) == wanted;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace rps::server
