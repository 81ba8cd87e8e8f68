// When a serving thread has more to do than it can, seen from inside: the sensor is the time that
// one pass over all ready connections takes, because whoever becomes ready now waits about as long.
//
// A long pass by itself is a burst, and bursts are served. Only passes that stay long one after the
// other mean that work arrives faster than it is done. The rule is that of CoDel (RFC 8289, section
// 3), with a pass in the place of a queue's sojourn time.
#pragma once

#include "core/clock.hpp"

namespace rps::jsonrpc {

class Overload {
 public:
  // How many times the target long passes must have taken together, without a shorter one.
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
