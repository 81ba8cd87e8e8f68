// Which of the process's threads this is, for data of which each thread has a part of its own.
#pragma once

#include <atomic>
#include <cstddef>

namespace rps::server {

// The number of threads that had called this before this one did so for the first time.
inline std::size_t thread_index() {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t index = threads.fetch_add(1, std::memory_order_relaxed);
  return index;
}

}  // namespace rps::server
