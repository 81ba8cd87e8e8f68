// The event loop of every client in this tree. It waits for many descriptors at once and calls
// their owner for each that can be read or written. The owner marks entries that have new output,
// and the loop calls it once for each marked entry: several requests then leave in one write.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/clock.hpp"
#include "core/net/epoll.hpp"

namespace rps::net {

class EventLoop {
 public:
  // The owner of the entries. Both functions may add, remove and mark entries.
  class Handler {
   public:
    // The entry can be read, or its peer has closed it, or it has failed.
    virtual void on_input(std::uint32_t key) = 0;

    // The entry was marked, or it waited for room to write and has some now.
    virtual void on_output(std::uint32_t key) = 0;

   protected:
    ~Handler() = default;
  };

  // One or two descriptors that the loop waits for. The owner keeps it; it must not move, and must
  // live as long as the loop is used.
  class Entry {
   public:
    // `key` is what the handler is called with.
    explicit Entry(std::uint32_t key) : key_(key) {}
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    friend class EventLoop;
    std::uint32_t key_;
    int input_ = -1;
    int output_ = -1;  // Equal to input_ when one descriptor is both.
    bool waits_for_room_ = false;
    bool is_marked_ = false;
  };

  // Begins to wait until `input` can be read. `output` is the descriptor that wait_for_room() looks
  // at; the same as `input` for a socket. False, and errno, when the kernel has no room.
  // REQUIRES: the entry is not in the loop.
  bool add(Entry& entry, int input, int output);

  // Stops waiting for the entry. What the current wait() has still to report of it is dropped. Call
  // it before the descriptors are closed. A mark stays.
  void remove(Entry& entry);

  // Begins or ends to wait until the output can be written. The handler is called once for each
  // wait() until this is ended; marks do not call it meanwhile.
  void wait_for_room(Entry& entry, bool waits);

  // The next flush() calls on_output(key) of this entry, once. Allowed also for an entry that is
  // not in the loop: that is how an owner defers work.
  void mark(Entry& entry);

  // Calls on_output() for every marked entry, also for those that are marked meanwhile.
  void flush(Handler& handler);

  // Waits until an entry is ready or `deadline` has passed, calls the handler for each entry that
  // is ready, and flushes after each: the peer of one can work while the next is read.
  void wait(Clock::time_point deadline, Handler& handler);

 private:
  Epoll epoll_;
  std::span<epoll_event> batch_;  // What the current wait() reports.
  std::vector<Entry*> marked_;
};

}  // namespace rps::net
