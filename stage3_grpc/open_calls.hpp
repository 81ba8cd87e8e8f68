// The calls that are open: a server that drains waits for their ends through this list, and ends
// those that wait for requests of their peers. Without it a drain would take until its deadline
// whenever a peer holds a stream open.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_set>

#include "core/clock.hpp"
#include "stage3_grpc/boundary/call_pool.hpp"

namespace rps::rpc {

// A call that may stay open between two requests. Both functions may come from any thread, and do
// not block.
class OpenStream {
 public:
  // The server drains: the call answers the request that it is carrying out, and ends with
  // `unavailable`. A PlayMany that has played a round goes on (end_if_silent).
  virtual void drain() = 0;

  // For a call that drain() has left open: ends with `unavailable` if its peer has sent no request
  // since `since`.
  virtual void end_if_silent(Clock::time_point /*since*/) {}

 protected:
  ~OpenStream() = default;
};

// Safe from any thread.
class OpenCalls {
 public:
  // From when the server knows of a call until it is over and its answer is with the peer, or the
  // peer has gone.
  class Call {
   public:
    explicit Call(OpenCalls& calls) : calls_(calls), is_waited_for_(calls.begin()) {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() {
      if (is_waited_for_) calls_.open_.fetch_sub(1);
      calls_.pool_.note_end();
    }

   private:
    OpenCalls& calls_;
    const bool is_waited_for_;
  };

  // Tells `pool` of the end of each call. REQUIRES: the pool outlives it.
  explicit OpenCalls(boundary::CallPool& pool) : pool_(pool) {}

  // A stream adds itself when it opens and removes itself when it is done.
  void add(OpenStream& stream);
  void remove(OpenStream& stream);

  // Drains the streams that are open and those that open later. REQUIRES: calls that come from now
  // on are refused.
  void drain();

  // After drain(): waits until the calls that were open then are over. Meanwhile ends streams whose
  // peers are silent. False when a call is still open at the deadline.
  bool wait_for_ends(Clock::time_point deadline);

 private:
  bool begin();
  void end_silent(Clock::time_point since);

  boundary::CallPool& pool_;
  std::atomic<std::int64_t> open_{0};
  std::atomic<bool> draining_{false};
  std::mutex mutex_;  // Held while streams drain, so that none of them goes away meanwhile.
  std::unordered_set<OpenStream*> streams_;
};

}  // namespace rps::rpc
