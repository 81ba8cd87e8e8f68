#include "core/fleet/pool.hpp"

#include <algorithm>
#include <cassert>

namespace rps::fleet {

void Pool::put(std::uint32_t connection, std::uint32_t instance, Clock::time_point now) {
  assert(std::ranges::find(idle_, connection, &Idle::connection) == idle_.end());
  idle_.push_back({.connection = connection, .instance = instance, .since = now, .probed_at = now});
}

std::optional<std::uint32_t> Pool::take(std::uint32_t instance) {
  const auto newest = std::ranges::find(idle_.rbegin(), idle_.rend(), instance, &Idle::instance);
  if (newest == idle_.rend()) return std::nullopt;
  const std::uint32_t connection = newest->connection;
  idle_.erase(std::next(newest).base());
  return connection;
}

void Pool::remove(std::uint32_t connection) {
  const auto found = std::ranges::find(idle_, connection, &Idle::connection);
  if (found != idle_.end()) idle_.erase(found);
}

std::optional<Pool::Task> Pool::next_task(Clock::time_point now) {
  const Clock::duration time_max = idle_.size() > options_.idle_max
                                       ? std::min(options_.surplus_time_max, options_.idle_time_max)
                                       : options_.idle_time_max;
  if (!idle_.empty() && now - idle_.front().since >= time_max) {
    const std::uint32_t connection = idle_.front().connection;
    idle_.erase(idle_.begin());
    return Task{.kind = Task::Kind::close, .connection = connection};
  }
  for (Idle& idle : idle_) {
    if (now - idle.probed_at < options_.probe_period) continue;
    idle.probed_at = now;
    return Task{.kind = Task::Kind::probe, .connection = idle.connection};
  }
  return std::nullopt;
}

}  // namespace rps::fleet
