// rps-floor-echo: what a server on one thread costs before it does anything. For each so many bytes
// that come it sends so many back, on a bare epoll loop without framing, parsing, limits or errors.
//
//   rps-floor-echo REQUEST_BYTES REPLY_BYTES
//
// Prints `floor://127.0.0.1:port`. A reply looks like a frame, so that who counts frames can count.
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

// A reply that tells its own length, and a pile of them to answer a pipeline with one write.
std::string replies(std::size_t reply_bytes, std::size_t count) {
  const std::size_t payload = reply_bytes - 5;
  std::string one{'\xCA', '\xFE', '\x02', static_cast<char>(payload >> 8),
                  static_cast<char>(payload & 0xff)};
  one.resize(reply_bytes, 'x');
  std::string many;
  while (count-- > 0) many += one;
  return many;
}

int listen_anywhere() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, generic, size) != 0 || ::listen(listener, SOMAXCONN) != 0 ||
      ::getsockname(listener, generic, &size) != 0) {
    std::perror("rps-floor-echo");
    std::exit(1);
  }
  std::printf("floor://127.0.0.1:%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listener;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t request_bytes = argc == 3 ? std::strtoul(argv[1], nullptr, 10) : 0;
  const std::size_t reply_bytes = argc == 3 ? std::strtoul(argv[2], nullptr, 10) : 0;
  if (request_bytes == 0 || reply_bytes < 5) {
    std::fputs("usage: rps-floor-echo REQUEST_BYTES REPLY_BYTES (at least 5)\n", stderr);
    return 2;
  }
  static std::array<char, 1 << 16> buffer;
  const std::string out = replies(reply_bytes, buffer.size() / request_bytes + 1);
  const int listener = listen_anywhere();
  const int epoll = ::epoll_create1(0);
  epoll_event first{.events = EPOLLIN, .data = {.fd = listener}};
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &first);

  std::vector<std::size_t> pending(1 << 16);  // Bytes of an unfinished request, for each socket.
  std::array<epoll_event, 256> events;
  for (;;) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (socket == listener) {
        const int peer = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        const int on = 1;
        ::setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_event event{.events = EPOLLIN, .data = {.fd = peer}};
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, peer, &event);
        continue;
      }
      std::size_t& bytes = pending[static_cast<std::size_t>(socket)];
      const ssize_t size = ::recv(socket, buffer.data(), buffer.size(), 0);
      if (size <= 0) {
        bytes = 0;
        ::close(socket);
        continue;
      }
      bytes += static_cast<std::size_t>(size);
      const std::size_t calls = bytes / request_bytes;
      bytes %= request_bytes;
      if (calls > 0) (void)!::send(socket, out.data(), calls * reply_bytes, MSG_NOSIGNAL);
    }
  }
}
