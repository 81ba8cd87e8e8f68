// The open streams that wait for their peers' requests. A server that drains ends them through this
// list; without it each would stay open until the deadline of the drain.
#pragma once

#include <mutex>
#include <unordered_set>

namespace rps::rpc {

class OpenStream {
 public:
  // Answers the requests that have arrived, then ends with `unavailable`. Any thread; does not
  // block.
  virtual void drain() = 0;

 protected:
  ~OpenStream() = default;
};

// Safe from any thread. A stream adds itself when it opens and removes itself when it is done.
class OpenStreams {
 public:
  void add(OpenStream& stream) {
    const std::scoped_lock lock(mutex_);
    streams_.insert(&stream);
    if (draining_) stream.drain();
  }

  void remove(OpenStream& stream) {
    const std::scoped_lock lock(mutex_);
    streams_.erase(&stream);
  }

  // Drains those that are open and those that open later.
  void drain() {
    const std::scoped_lock lock(mutex_);
    draining_ = true;
    for (OpenStream* const stream : streams_) stream->drain();
  }

 private:
  std::mutex mutex_;  // Held while streams drain, so that none of them goes away meanwhile.
  std::unordered_set<OpenStream*> streams_;
  bool draining_ = false;
};

}  // namespace rps::rpc
