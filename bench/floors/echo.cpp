// rps-floor-echo: the floor of a TCP server with one thread. For every REQUEST_BYTES that arrive it
// sends REPLY_BYTES, on a bare epoll loop without framing, parsing, limits or errors.
//
//   rps-floor-echo REQUEST_BYTES REPLY_BYTES
//
// Prints `echo://127.0.0.1:port?request=REQUEST_BYTES&reply=REPLY_BYTES`.
#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/floors/announce.hpp"
#include "bench/floors/frames.hpp"
#include "bench/floors/listen.hpp"
#include "bench/floors/sizes.hpp"
#include "core/net/program.hpp"

namespace {

int run(int argc, char** argv) {
  const auto [request_bytes, reply_bytes] =
      rps::floors::read_sizes(argc, argv, rps::floors::frame_header_bytes);
  static std::array<char, 1 << 16> buffer;
  const std::string out = rps::floors::make_frames(reply_bytes, buffer.size() / request_bytes + 1);
  const rps::floors::Listener listening = rps::floors::listen_anywhere();
  const int listener = listening.socket;
  if (!rps::floors::announce(rps::floors::echo_url(listening.port, request_bytes, reply_bytes))) {
    return EXIT_FAILURE;
  }
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
        const int peer = rps::floors::accept_one(listener);
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

}  // namespace

int main(int argc, char** argv) {
  return rps::net::run_program("rps-floor-echo", [&] { return run(argc, argv); });
}
