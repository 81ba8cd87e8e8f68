// The loop of a floor that keeps a state for each connection.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include <sys/epoll.h>
#include <unistd.h>

#include "bench/floors/listen.hpp"

namespace rps::floors {

// Accepts and serves connections for ever, on the calling thread. `make(socket)` makes what is kept
// of a connection, as a std::unique_ptr. `serve(connection)` is called when the socket of
// `connection` can be read; when it returns false, the connection is destroyed and its socket
// closed.
template <class Make, class Serve>
[[noreturn]] void run_epoll_loop(int listener, Make make, Serve serve) {
  const int epoll = ::epoll_create1(0);
  const auto watch = [epoll](int socket) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = socket}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
  };
  watch(listener);
  std::vector<decltype(make(listener))> connections(1 << 16);  // By descriptor.
  const auto accept = [&] {
    const int peer = accept_one(listener);
    if (peer < 0) return;
    connections[static_cast<std::size_t>(peer)] = make(peer);
    watch(peer);
  };

  std::array<epoll_event, 256> events;
  for (;;) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (socket == listener) {
        accept();
        continue;
      }
      auto& connection = connections[static_cast<std::size_t>(socket)];
      if (serve(*connection)) continue;
      connection.reset();
      ::close(socket);
    }
  }
}

}  // namespace rps::floors
