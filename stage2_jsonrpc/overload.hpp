// Detects that a serving thread has more work than it can do. It measures how long one pass over
// all ready connections takes: a connection that becomes ready now waits about as long.
//
// One long pass is a burst, and bursts are served. Only when every pass of a row is long does work
// arrive faster than it is done. The rule is that of CoDel (RFC 8289, section 3), applied to the
// duration of a pass instead of the time that a packet spends in a queue.
#pragma once

#include "core/clock.hpp"

namespace rps::jsonrpc {

class Overload {
 public:
  // The thread is overloaded when long passes, with no shorter one between them, have taken this
  // many times the target together.
  static constexpr int patience = 10;

  explicit Overload(Clock::duration target) : target_(target) {}

  void pass_took(Clock::duration took) {
    long_for_ = took > target_ ? long_for_ + took : Clock::duration::zero();
  }

  bool is_overloaded() const { return long_for_ >= patience * target_; }

 private:
  Clock::duration target_;
  Clock::duration long_for_{0};
};

}  // namespace rps::jsonrpc
