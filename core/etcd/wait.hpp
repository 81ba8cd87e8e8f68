// Waiting in a thread that may be told to stop.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "core/clock.hpp"

namespace rps::etcd {

// False when `stop` came before `time`.
inline bool wait_until(Clock::time_point time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_until(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace rps::etcd
