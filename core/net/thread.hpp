// Starting a thread, with a reason that a person understands when that fails.
#pragma once

#include <system_error>
#include <thread>
#include <utility>

namespace rps {

// A thread (std::thread or std::jthread) that runs `run`. Throws std::system_error, "cannot start a
// thread: …", when the process or the machine may not have one more.
template <class Thread = std::thread, class Run>
Thread start_thread(Run run) {
  try {
    return Thread(std::move(run));
  } catch (const std::system_error& error) {
    throw std::system_error(error.code(), "cannot start a thread");
  }
}

}  // namespace rps
