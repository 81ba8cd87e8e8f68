// What all clients with an event loop have in common: poll(), and refusing a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/client.hpp"
#include "core/net/event_loop.hpp"

namespace rps::net {

// A client derives from it, adds its descriptors to loop(), and calls hand_over() for what
// on_input() and on_output() find.
class LoopClient : public Client, protected EventLoop::Handler {
 public:
  std::size_t poll(Clock::time_point deadline, Sink& sink) final;

 protected:
  // What poll() repeats until something was handed over: flush_and_wait(), if not overridden. A
  // client may also call it without a poll, while no call is open.
  virtual void step(Clock::time_point until) { flush_and_wait(until); }

  // Flushes the loop, and waits until something is ready, at most until `until`; not at all when
  // this poll has something to return.
  void flush_and_wait(Clock::time_point until);

  // For submit(): the call cannot begin. The next poll hands over its reply.
  void refuse(std::uint64_t id, Operation operation, Error error);

  // Gives a reply or an event to the sink of this poll. An event outside of a poll is dropped.
  void hand_over(std::uint64_t id, const Reply& reply, const Stamps& stamps);
  void hand_over(const Event& event);

  EventLoop& loop() { return loop_; }

 private:
  struct Refused {
    std::uint64_t id = 0;
    Operation operation = Operation::play;
    Error error = Error::unavailable;
    Clock::time_point at;
  };

  void answer_refused();

  EventLoop loop_;
  std::vector<Refused> refused_;
  std::vector<Refused> being_answered_;

  // Of the current poll.
  Sink* sink_ = nullptr;
  std::size_t handed_over_ = 0;
};

}  // namespace rps::net
