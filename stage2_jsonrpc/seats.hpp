// The connections of a serving thread in the order in which they give way: when no connection more
// may be open, a new one takes the place of one that is idle.
//
// First come the connections that have never sent a whole message, the oldest before the others.
// Then come those that have sent one; of the next looks_max of them the one that has been idle for
// the longest time gives way. A connection that is in use is passed over. So a choice takes a
// bounded time, however many connections there are, and a message costs nothing: no order is kept
// up to date.
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <optional>

#include "core/clock.hpp"

namespace rps::jsonrpc {

// A Holder has a function `std::optional<Clock::time_point> idle_since(Clock::time_point now)`:
// since when it is idle, or nothing while it is in use. Not for several threads.
template <class Holder>
class Seats {
  using Order = std::list<Holder*>;

 public:
  // Connections that one choice looks at, in each of the two orders.
  static constexpr std::size_t looks_max = 64;

  // The place of a holder in the order. The holder keeps it.
  class Seat {
    friend class Seats;
    Order::iterator at_;
    bool has_spoken_ = false;
  };

  // The holder has sent nothing yet. REQUIRES: it lives until leave().
  Seat sit(Holder& holder) {
    Seat seat;
    seat.at_ = silent_.insert(silent_.end(), &holder);
    return seat;
  }

  // The holder has sent its first whole message. Called once.
  void speak(Seat& seat) {
    seat.has_spoken_ = true;
    spoken_.splice(spoken_.end(), silent_, seat.at_);
  }

  void leave(const Seat& seat) { (seat.has_spoken_ ? spoken_ : silent_).erase(seat.at_); }

  // Who is to give way; null when all that were looked at are in use.
  Holder* choose(Clock::time_point now) {
    if (Holder* const holder = choose_from(silent_, Which::first_idle, now)) return holder;
    return choose_from(spoken_, Which::longest_idle, now);
  }

 private:
  enum class Which { first_idle, longest_idle };

  // Whoever is looked at moves to the end, so that the next choice looks at others.
  static Holder* choose_from(Order& order, Which which, Clock::time_point now) {
    Holder* chosen = nullptr;
    Clock::time_point chosen_since = now;
    for (std::size_t looks = std::min(order.size(), looks_max); looks > 0; --looks) {
      Holder* const holder = order.front();
      order.splice(order.end(), order, order.begin());
      const std::optional<Clock::time_point> since = holder->idle_since(now);
      if (!since || (chosen != nullptr && *since >= chosen_since)) continue;
      chosen = holder;
      chosen_since = *since;
      if (which == Which::first_idle) break;
    }
    return chosen;
  }

  Order silent_;
  Order spoken_;
};

}  // namespace rps::jsonrpc
