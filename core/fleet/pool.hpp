// The idle connections of one service, and which of them to close or to probe. The one that was
// used last is used again first, so that the others become old enough to be closed. The pool holds
// no sockets; they belong to the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/clock.hpp"
#include "core/fleet/limits.hpp"

namespace rps::fleet {

struct PoolOptions {
  std::size_t idle_max = limits::idle_connections_default;          // Of all instances together.
  Clock::duration surplus_time_max = limits::idle_surplus_default;  // Of those above that number.
  Clock::duration idle_time_max = limits::idle_time_default;        // Then it is closed.
  Clock::duration probe_period = limits::probe_period_default;      // Then it is looked at.
};

class Pool {
 public:
  explicit Pool(const PoolOptions& options) : options_(options) {}

  // `connection`, which is not here, has no call open any longer. `now` must not go back.
  void put(std::uint32_t connection, std::uint32_t instance, Clock::time_point now);

  // Takes out the connection to `instance` that was used last.
  std::optional<std::uint32_t> take(std::uint32_t instance);

  // Takes out this connection, if it is here.
  void remove(std::uint32_t connection);

  struct Task {
    enum class Kind : std::uint8_t {
      close,  // Taken out: it was idle for too long. The longest idle go first.
      probe,  // Stays: see whether its peer is still there.
    };
    Kind kind = Kind::close;
    std::uint32_t connection = 0;
  };

  // The next thing to do, or nothing. Call until it says nothing.
  std::optional<Task> next_task(Clock::time_point now);

  std::size_t size() const { return idle_.size(); }

 private:
  struct Idle {
    std::uint32_t connection = 0;
    std::uint32_t instance = 0;
    Clock::time_point since;
    Clock::time_point probed_at;
  };

  PoolOptions options_;
  std::vector<Idle> idle_;  // Longest idle first.
};

}  // namespace rps::fleet
