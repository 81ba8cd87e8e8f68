#include "stage3_grpc/open_calls.hpp"

#include <algorithm>
#include <thread>

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
  while (open_ != 0) {
    const Clock::time_point now = Clock::now();
    if (now >= deadline) return false;
    end_silent(now - limits::drain_silence_max);
    std::this_thread::sleep_until(std::min(deadline, now + limits::drain_look_period));
  }
  return true;
}

// A call is counted before draining_ is read, and wait_for_ends() reads the count after draining_
// is set: either the call is waited for, or it is refused.
bool OpenCalls::begin() {
  open_.fetch_add(1);
  if (!draining_) return true;
  open_.fetch_sub(1);
  return false;
}

void OpenCalls::end_silent(Clock::time_point since) {
  const std::scoped_lock lock(mutex_);
  for (OpenStream* const stream : streams_) stream->end_if_silent(since);
}

}  // namespace rps::rpc
