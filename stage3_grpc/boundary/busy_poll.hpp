// Busy polling: a thread that waits for events asks for them again and again for a moment, before
// it sleeps until one comes.
//
// To wake a thread takes longer than to answer a call: on a virtual machine whose CPU has gone
// idle, 20 µs and more. When calls come one after the other, the next one comes sooner than that.
// When they do not, busy polling is wasted time of the CPU. So a thread polls busily only while at
// least four of five such waits end with an event in time.
//
//   sleeps     each wait, until so many waits in turn were short that it is worth another attempt;
//              after each attempt that failed twice as many
//   polls      confidence counts up by one at a wait that ended in time, and down by four at one
//              that did not; below zero the thread sleeps again
#pragma once

#include <algorithm>
#include <utility>

#include "core/clock.hpp"

namespace rps::rpc::boundary {

// Of one thread.
class BusyPoll {
 public:
  // Never polls busily for longer than `limit` at once; 0: not at all.
  explicit BusyPoll(Clock::duration limit) : limit_(limit) {}

  Clock::duration limit() const { return limit_; }

  // Whether the next wait begins with busy polling.
  bool is_worthwhile() const { return limit_ > Clock::duration::zero() && sleeps_left_ == 0; }

  // A wait that began with busy polling is over: an event came in time or not.
  void polled(bool in_time);

  // A wait in which the thread slept is over.
  void slept(Clock::duration waited);

 private:
  static constexpr int confidence_max = 8;
  static constexpr int failure = 4;
  static constexpr int sleeps_min = 8;
  static constexpr int sleeps_max = 1024;
  // A wait of a sleeping thread also takes the time to wake it.
  static constexpr int short_sleep = 4;  // Times the limit.

  Clock::duration limit_;
  int confidence_ = 0;
  int sleeps_ = sleeps_min;
  int sleeps_left_ = sleeps_min;
};

inline void BusyPoll::polled(bool in_time) {
  confidence_ = in_time ? std::min(confidence_ + 1, confidence_max) : confidence_ - failure;
  if (confidence_ == confidence_max) sleeps_ = sleeps_min;
  if (confidence_ >= 0) return;
  confidence_ = 0;
  sleeps_left_ = std::exchange(sleeps_, std::min(2 * sleeps_, sleeps_max));
}

inline void BusyPoll::slept(Clock::duration waited) {
  if (waited > short_sleep * limit_) {
    sleeps_left_ = std::max(sleeps_left_, sleeps_min);
  } else if (sleeps_left_ > 0) {
    --sleeps_left_;
  }
}

// From now on this thread's waits in wait_for_events() poll busily for up to `limit`.
void set_busy_poll_of_this_thread(Clock::duration limit);

BusyPoll& busy_poll_of_this_thread();

// Calls `wait(ms)`, which waits as epoll_wait(2) does and returns its result. Before it sleeps,
// the thread polls busily if that is worthwhile.
template <class Wait>
int wait_for_events(Wait wait, int ms) {
  BusyPoll& busy_poll = busy_poll_of_this_thread();
  if (ms == 0 || busy_poll.limit() == Clock::duration::zero()) return wait(ms);
  const Clock::time_point began_at = Clock::now();
  if (!busy_poll.is_worthwhile()) {
    const int count = wait(ms);
    busy_poll.slept(Clock::now() - began_at);
    return count;
  }
  int count = 0;
  do {
    count = wait(0);
  } while (count == 0 && Clock::now() - began_at < busy_poll.limit());
  busy_poll.polled(count != 0);
  return count != 0 ? count : wait(ms);
}

}  // namespace rps::rpc::boundary
