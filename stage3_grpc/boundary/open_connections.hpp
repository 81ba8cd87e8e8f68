// The connections that have an accountant. When there is no room for another call or another
// connection, it is found here which connection gives way. Idle connections are ended from here.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "core/clock.hpp"
#include "stage3_grpc/boundary/call_pool.hpp"
#include "stage3_grpc/boundary/cut_counters.hpp"

namespace rps::rpc::boundary {

class Accountant;

// Every function may be called from any thread.
class OpenConnections {
 public:
  // Calls with this weight may be open on all connections together (call_pool.hpp).
  explicit OpenConnections(int calls_max) : calls_(std::make_shared<CallPool>(calls_max)) {}

  const std::shared_ptr<CallPool>& calls() const { return calls_; }
  CutCounters& cuts() { return cuts_; }
  const CutCounters& cuts() const { return cuts_; }

  // The accountant's socket stays open until remove() has returned.
  void add(Accountant& accountant);
  void remove(Accountant& accountant);

  // Closes up to `count` connections that have no open call and have had none since `since`: first
  // those that never had one, then those without one for the longest time. Returns whether any was
  // closed, or is being closed by gRPC.
  bool close_idle(std::size_t count, Clock::time_point since);

  // When the pool is full: closes the connections whose calls have gone without an answer for the
  // longest time, until a sixteenth of the pool is free. Calls of connections that are being closed
  // already do not count. Looks once in ten milliseconds at most.
  void close_longest_waiting(Clock::time_point now);

  // Ends connections that have no open call and have had none, or never one, for `idle_max`: says
  // goodbye on each, so that its peer opens no further call and closes it. Those that are still
  // there at a later call of this function are closed: when their peer has heard the goodbye, or
  // has had `idle_max` to hear it. To be called from time to time.
  void end_idle(Clock::time_point now, Clock::duration idle_max);

  // Says goodbye on each connection, and goes on with it where there was no room for all of it
  // before. Returns whether no call is open or will come any more: all peers have heard it, and
  // their calls are over. Calls of connections that are being closed do not count.
  bool say_goodbye();

  // Closes the connections whose peers have not heard the goodbye or have calls open: they see that
  // their calls were cut off, and may send them again.
  void close_unfinished();

 private:
  const std::shared_ptr<CallPool> calls_;
  CutCounters cuts_;
  std::mutex mutex_;  // Guards what follows.
  // With the time at which end_idle() said goodbye, if it has.
  std::unordered_map<Accountant*, std::optional<Clock::time_point>> accountants_;
  Clock::time_point looked_at_;
};

}  // namespace rps::rpc::boundary
