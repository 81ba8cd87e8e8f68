// Looks names up beside an event loop, which must not wait for them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <future>
#include <limits>
#include <mutex>
#include <stop_token>
#include <thread>

#include "core/net/address.hpp"
#include "core/net/event_loop.hpp"
#include "core/net/fd.hpp"

namespace rps::net {

// Has one thread, from the first look-up on, which looks names up one after another. Used by the
// thread of the loop.
class Resolver {
 public:
  // REQUIRES: no other entry of the loop has this key.
  static constexpr std::uint32_t key = std::numeric_limits<std::uint32_t>::max() - 1;

  // When a look-up has ended, the loop calls on_input(key) of its handler, which calls
  // acknowledge(). REQUIRES: `loop` outlives it.
  explicit Resolver(EventLoop& loop) : loop_(loop), entry_(key) {}

  // Waits until the look-up that the thread has begun has ended, which may take as long as the
  // system's resolver waits for an answer. Look-ups that were not begun are dropped.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // The result is there when a look-up has ended. When the system has no thread or descriptor for
  // it, the result is there at once, and is a sentence that says so.
  std::future<FoundAddresses> look_up(LookUp look_up, HostPort target);

  void acknowledge();

 private:
  struct Task {
    void run() noexcept;

    LookUp look_up;
    HostPort target;
    std::promise<FoundAddresses> found;
  };

  bool start();
  void run(const std::stop_token& stop);

  EventLoop& loop_;
  EventLoop::Entry entry_;
  Fd ended_;  // An eventfd, written by the thread.
  std::mutex mutex_;
  std::condition_variable_any has_tasks_;
  std::deque<Task> tasks_;  // Guarded by mutex_.
  std::jthread thread_;     // Behind all that it uses, so that it ends first.
};

}  // namespace rps::net
