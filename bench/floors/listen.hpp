// Listening on TCP with as few system calls as possible.
#pragma once

#include <cerrno>
#include <system_error>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace rps::floors {

struct Listener {
  int socket = -1;  // Non-blocking, open as long as the process lives.
  int port = 0;     // On 127.0.0.1; the system chose it.
};

// Throws std::system_error.
inline Listener listen_anywhere() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket, generic, size) != 0 || ::listen(socket, SOMAXCONN) != 0 ||
      ::getsockname(socket, generic, &size) != 0) {
    throw std::system_error(errno, std::system_category(), "cannot listen");
  }
  return {.socket = socket, .port = ntohs(address.sin_port)};
}

// A non-blocking connection with TCP_NODELAY, or -1.
inline int accept_one(int listener) {
  const int peer = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
  const int on = 1;
  if (peer >= 0) ::setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return peer;
}

}  // namespace rps::floors
