#include "stage3_grpc/open_calls.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "stage3_grpc/limits.hpp"

namespace rps::rpc {

void OpenCalls::add(OpenStream& stream) {
  const std::scoped_lock lock(mutex_);
  streams_.insert(&stream);
  if (draining_) stream.drain();
}

void OpenCalls::remove(OpenStream& stream) {
  const std::scoped_lock lock(mutex_);
  streams_.erase(&stream);
}

void OpenCalls::drain() {
  const std::scoped_lock lock(mutex_);
  draining_ = true;
  for (OpenStream* const stream : streams_) stream->drain();
}

bool OpenCalls::wait_for_ends(Clock::time_point deadline) {
  const Clock::time_point began_at = Clock::now();
  Clock::time_point last_refused_at = began_at;
  std::uint64_t refused = refused_;
  while (true) {
    const Clock::time_point now = Clock::now();
    if (std::exchange(refused, refused_) != refused_) last_refused_at = now;
    const bool is_quiet = now - last_refused_at >= limits::drain_quiet_min ||
                          now - began_at >= limits::drain_refusing_max;
    if (open_ == 0 && is_quiet) return true;
    if (now >= deadline) return open_ == 0;
    end_silent(now - limits::drain_silence_max);
    std::this_thread::sleep_until(std::min(deadline, now + limits::drain_look_period));
  }
}

// A call is counted before draining_ is read, and wait_for_ends() reads the count after draining_
// is set: either the call is waited for, or it is refused.
bool OpenCalls::begin() {
  open_.fetch_add(1);
  if (!draining_) return true;
  open_.fetch_sub(1);
  refused_.fetch_add(1);
  return false;
}

void OpenCalls::end_silent(Clock::time_point since) {
  const std::scoped_lock lock(mutex_);
  for (OpenStream* const stream : streams_) stream->end_if_silent(since);
}

}  // namespace rps::rpc
