// The wait of an event loop: epoll, with deadlines in nanoseconds.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <memory>
#include <span>

#include <sys/epoll.h>

#include "core/clock.hpp"
#include "core/net/fd.hpp"

namespace rps::net {

// What is left until `deadline`, as the system's waiting calls take it; zero when it has passed.
timespec time_left(Clock::time_point deadline);

class Epoll {
 public:
  // Throws std::system_error.
  Epoll();

  // Begins to report `events` of `fd`, with `tag`. False, and errno, when the kernel has no room.
  bool add(int fd, std::uint32_t events, std::uint64_t tag);

  // Reports other events of an `fd` that was added, or none any longer. Closing it does as well.
  void modify(int fd, std::uint32_t events, std::uint64_t tag);
  void remove(int fd);

  // Waits until something is ready or `deadline` has passed, and returns what is ready, at most
  // 256 at once; valid until the next wait. A signal may end it early.
  std::span<epoll_event> wait(Clock::time_point deadline);

 private:
  using Ready = std::array<epoll_event, 256>;

  Fd epoll_;
  bool waits_in_nanoseconds_ = true;  // Until the kernel says that it has no epoll_pwait2.
  std::unique_ptr<Ready> ready_;
};

}  // namespace rps::net
