#include "core/net/resolver.hpp"

#include <exception>
#include <system_error>
#include <utility>

#include <sys/eventfd.h>

namespace rps::net {

namespace {

std::future<FoundAddresses> make_ready(FoundAddresses result) {
  std::promise<FoundAddresses> promise;
  promise.set_value(std::move(result));
  return promise.get_future();
}

}  // namespace

Resolver::~Resolver() {
  loop_.remove(entry_);
}

std::future<FoundAddresses> Resolver::look_up(LookUp look_up, HostPort target) {
  if (!start()) {
    return make_ready(std::unexpected(
        "the system has no thread or descriptor left for looking up " + target.host));
  }
  Task task{.look_up = std::move(look_up), .target = std::move(target), .found = {}};
  std::future<FoundAddresses> result = task.found.get_future();
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  has_tasks_.notify_one();
  return result;
}

void Resolver::acknowledge() {
  eventfd_t ignored = 0;
  ::eventfd_read(ended_.get(), &ignored);
}

void Resolver::Task::run() noexcept {
  try {
    found.set_value(look_up(target));
  } catch (...) {
    found.set_exception(std::current_exception());
  }
}

// False when the system has no room for it. Does nothing when it is started.
bool Resolver::start() {
  if (thread_.joinable()) return true;
  if (!ended_) {
    Fd ended(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!ended || !loop_.add(entry_, ended.get(), ended.get())) return false;
    ended_ = std::move(ended);
  }
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void Resolver::run(const std::stop_token& stop) {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      if (!has_tasks_.wait(lock, stop, [&] { return !tasks_.empty(); })) return;
      if (stop.stop_requested()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task.run();
    ::eventfd_write(ended_.get(), 1);
  }
}

}  // namespace rps::net
