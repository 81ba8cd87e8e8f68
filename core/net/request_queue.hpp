// The open requests of one stream whose peer answers in the order of the requests, so that a reply
// belongs to the oldest of them.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/clock.hpp"
#include "core/command.hpp"
#include "core/net/input_buffer.hpp"
#include "core/net/ring.hpp"
#include "core/net/wire_codec.hpp"

namespace rps::net {

class RequestQueue {
 public:
  struct Request {
    std::uint64_t id = 0;  // The owner's name for it; not on the wire.
    Operation operation = Operation::play;
    Clock::time_point sent_at;  // Set by mark_sent().
  };

  // Appends the request to `out` and returns its number in the stream, from 1.
  std::uint64_t push(WireCodec& codec, std::uint64_t id, const Command& command, std::string& out) {
    codec.encode(++sequence_, command, out);
    requests_.push({.id = id, .operation = command.operation, .sent_at = {}});
    ++unsent_;
    return sequence_;
  }

  // All requests that were pushed are being written `now`. Only a request that was sent can be
  // answered.
  void mark_sent(Clock::time_point now) {
    for (; unsent_ > 0; --unsent_) requests_[requests_.size() - unsent_].sent_at = now;
  }

  bool empty() const { return requests_.empty(); }
  std::size_t size() const { return requests_.size(); }
  bool expects_reply() const { return requests_.size() > unsent_; }

  // REQUIRES: !empty(); a request with this number is open.
  Request& oldest() { return requests_[0]; }
  Request& numbered(std::uint64_t sequence) { return requests_[sequence - oldest_sequence()]; }

  // Takes out the oldest. REQUIRES: expects_reply().
  Request pop() {
    assert(expects_reply());
    return requests_.pop();
  }

  // Takes one message from the front of `input`. After `reply` the owner pops the oldest request;
  // after `broken` it closes the stream.
  WireCodec::Outcome decode(WireCodec& codec, InputBuffer& input, Reply& reply, Event& event) {
    const std::string_view bytes = input.bytes();
    if (bytes.empty()) return WireCodec::Outcome::need_more;
    WireCodec::Expected expected;
    const WireCodec::Expected* const any = expects_reply() ? &expected : nullptr;
    if (any) expected = {.operation = oldest().operation, .sequence = oldest_sequence()};
    std::size_t consumed = 0;
    const auto outcome = codec.decode(bytes, any, consumed, reply, event);
    if (outcome == WireCodec::Outcome::reply || outcome == WireCodec::Outcome::event) {
      assert(consumed > 0 && consumed <= bytes.size());
      assert(any || outcome == WireCodec::Outcome::event);
      input.consume(consumed);
    }
    return outcome;
  }

  // Forgets all requests; the next one is number 1 again.
  void clear() {
    requests_.clear();
    unsent_ = 0;
    sequence_ = 0;
  }

 private:
  std::uint64_t oldest_sequence() const { return sequence_ - requests_.size() + 1; }

  Ring<Request> requests_;
  std::size_t unsent_ = 0;      // The newest of them: encoded and not written yet.
  std::uint64_t sequence_ = 0;  // Of the newest.
};

}  // namespace rps::net
