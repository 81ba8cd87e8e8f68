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

// A Connection has a function `std::optional<Clock::time_point> idle_since(Clock::time_point now)`:
// since when it is idle, or nothing while it is in use. Not for several threads.
template <class Connection>
class EvictionOrder {
  using Order = std::list<Connection*>;

 public:
  // Connections that one choice looks at, in each of the two orders.
  static constexpr std::size_t looks_max = 64;

  // Where a connection stands in the order. The connection keeps it.
  class Position {
    friend class EvictionOrder;
    Order::iterator at_;
    bool has_sent_ = false;
  };

  // The connection has sent no message yet. REQUIRES: it lives until remove().
  Position add(Connection& connection) {
    Position position;
    position.at_ = silent_.insert(silent_.end(), &connection);
    return position;
  }

  // The connection has sent its first whole message. Called once.
  void note_first_message(Position& position) {
    position.has_sent_ = true;
    senders_.splice(senders_.end(), silent_, position.at_);
  }

  void remove(const Position& position) {
    (position.has_sent_ ? senders_ : silent_).erase(position.at_);
  }

  // The connection that is to give way; null when all that were looked at are in use.
  Connection* choose(Clock::time_point now) {
    if (Connection* const silent = choose_from(silent_, Which::first_idle, now)) return silent;
    return choose_from(senders_, Which::longest_idle, now);
  }

 private:
  enum class Which { first_idle, longest_idle };

  // A connection that is looked at moves to the end, so that the next choice looks at others.
  static Connection* choose_from(Order& order, Which which, Clock::time_point now) {
    Connection* chosen = nullptr;
    Clock::time_point chosen_since = now;
    for (std::size_t looks = std::min(order.size(), looks_max); looks > 0; --looks) {
      Connection* const connection = order.front();
      order.splice(order.end(), order, order.begin());
      const std::optional<Clock::time_point> since = connection->idle_since(now);
      if (!since || (chosen != nullptr && *since >= chosen_since)) continue;
      chosen = connection;
      chosen_since = *since;
      if (which == Which::first_idle) break;
    }
    return chosen;
  }

  Order silent_;   // Have sent none.
  Order senders_;  // Have sent a whole message.
};

}  // namespace rps::jsonrpc
