// The open calls of a fleet client, from submit() to on_reply(). The table keeps the commands for
// further attempts, orders the calls by their deadlines, and knows when each next attempt is due.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/command.hpp"
#include "core/fleet/circuit_breaker.hpp"

namespace rps::fleet {

// In place of the index of a call, an instance or a connection: none.
inline constexpr std::uint32_t no_index = std::numeric_limits<std::uint32_t>::max();

struct Call {
  enum class Place : std::uint8_t {
    free,     // Not open.
    pending,  // Waits until it is tried (again).
    waiting,  // On its connection, not sent.
    sent,     // On its connection, and its answer is due.
  };
  Place place = Place::free;
  std::uint64_t id = 0;
  Command command;  // Its views point into a copy that the table keeps.
  Clock::time_point deadline;
  Clock::time_point sent_at;
  std::uint32_t retries = 0;
  std::uint32_t instance = no_index;    // Of the latest attempt.
  std::uint32_t avoided = no_index;     // The instance that has just failed it.
  std::uint32_t connection = no_index;  // Of the latest attempt.
  std::uint64_t handle = 0;             // In the session of that connection.
  CircuitBreaker::Ticket ticket;
};

// Has room for a fixed number of calls, which never move. In steady state it allocates nothing.
class CallTable {
 public:
  explicit CallTable(std::size_t calls_max);

  std::size_t calls_max() const { return slots_.size(); }
  Call& operator[](std::uint32_t index) { return slots_[index].call; }

  // Copies what `command` points to. REQUIRES: fewer than calls_max() are open; `deadline` is not
  // before that of a call that was opened earlier.
  std::uint32_t open(std::uint64_t id, const Command& command, Clock::time_point now,
                     Clock::time_point deadline);
  void close(std::uint32_t index);

  // The open call whose deadline is the earliest, or `no_index`.
  std::uint32_t first_to_expire() const { return deadlines_.oldest; }

  // Makes the call pending until `at`. A pending call must not be closed before take_due() has
  // returned it.
  void schedule(std::uint32_t index, Clock::time_point at);

  // The pending call that is due first, if it is due `now`; it is not pending any longer.
  std::optional<std::uint32_t> take_due(Clock::time_point now);

  // The call has an attempt, which should be over by `until`. REQUIRES: it has none; `until` is not
  // before that of an attempt that began earlier.
  void begin_attempt(std::uint32_t index, Clock::time_point until);

  // Does nothing when the call has no attempt.
  void end_attempt(std::uint32_t index);

  // The call whose attempt should be over first, if that is so `now`.
  std::optional<std::uint32_t> slow_attempt(Clock::time_point now) const;

  // When the next call expires or is due, or an attempt should be over; the end of time when none
  // of them will happen.
  Clock::time_point next_time() const;

 private:
  struct Links {
    std::uint32_t older = no_index;
    std::uint32_t newer = no_index;
  };

  struct Slot {
    Call call;
    std::string text;  // What the command's views point into.
    Links by_deadline;
    Links by_attempt;
    bool has_attempt = false;
    Clock::time_point attempt_until;
  };

  // A list of calls in the order in which they were appended, by links in their slots.
  struct Order {
    Links Slot::* links;
    std::uint32_t oldest = no_index;
    std::uint32_t newest = no_index;
  };

  struct Pending {
    Clock::time_point at;
    std::uint32_t call = no_index;
  };

  void append(Order& order, std::uint32_t index);
  void remove(Order& order, std::uint32_t index);

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  Order deadlines_{.links = &Slot::by_deadline};
  Order attempts_{.links = &Slot::by_attempt};
  std::vector<Pending> pending_;  // A heap; the first is due first.
};

}  // namespace rps::fleet
