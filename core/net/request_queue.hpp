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
    std::uint64_t id = 0;        // The owner's name for it; not on the wire.
    std::uint64_t sequence = 0;  // Its number in the stream.
    std::uint32_t bytes = 0;     // Of its encoding.
    Operation operation = Operation::play;
    bool may_repeat = false;    // See WireCodec::may_repeat().
    Clock::time_point sent_at;  // Set by mark_sent().
  };

  // Appends the request to `out` and returns its number in the stream, from 1.
  std::uint64_t push(WireCodec& codec, std::uint64_t id, const Command& command, std::string& out) {
    const std::size_t begin = out.size();
    codec.encode(++sequence_, command, out);
    requests_.push({.id = id,
                    .sequence = sequence_,
                    .bytes = static_cast<std::uint32_t>(out.size() - begin),
                    .operation = command.operation,
                    .may_repeat = codec.may_repeat(command),
                    .sent_at = {}});
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

  // REQUIRES: !empty(); a request with this number is open, and none was put back.
  const Request& oldest() const { return requests_[0]; }
  Request& numbered(std::uint64_t sequence) { return requests_[sequence - oldest().sequence]; }

  // Takes out the oldest. REQUIRES: expects_reply().
  Request pop() {
    assert(expects_reply());
    return requests_.pop();
  }

  // Puts a request that was taken out behind all others, with its number and its time.
  void put_back(const Request& request) { requests_.push(request); }

  // Takes one message from the front of `input`. After `reply` and `last_reply` the owner pops the
  // oldest request; after `last_reply` and `broken` it closes the stream.
  WireCodec::Outcome decode(WireCodec& codec, InputBuffer& input, Reply& reply, Event& event) {
    const std::string_view bytes = input.bytes();
    if (bytes.empty()) return WireCodec::Outcome::need_more;
    WireCodec::Expected expected;
    const WireCodec::Expected* const any = expects_reply() ? &expected : nullptr;
    if (any) expected = expectation();
    std::size_t consumed = 0;
    const auto outcome = codec.decode(bytes, any, consumed, reply, event);
    switch (outcome) {
      case WireCodec::Outcome::need_more:
      case WireCodec::Outcome::broken: break;
      case WireCodec::Outcome::reply:
      case WireCodec::Outcome::last_reply: assert(any); [[fallthrough]];
      case WireCodec::Outcome::event:
        assert(consumed > 0 && consumed <= bytes.size());
        input.consume(consumed);
    }
    return outcome;
  }

  // The stream has ended. `last_reply` when that ends the answer to the oldest request, else
  // `broken`.
  WireCodec::Outcome decode_end(WireCodec& codec, const InputBuffer& input, Reply& reply) {
    if (input.empty() || !expects_reply()) return WireCodec::Outcome::broken;
    return codec.decode_end(input.bytes(), expectation(), reply);
  }

  // Forgets all requests; the next one is number 1 again.
  void clear() {
    requests_.clear();
    unsent_ = 0;
    sequence_ = 0;
  }

 private:
  WireCodec::Expected expectation() const {
    return {.operation = oldest().operation, .sequence = oldest().sequence};
  }

  Ring<Request> requests_;
  std::size_t unsent_ = 0;      // The newest of them: encoded and not written yet.
  std::uint64_t sequence_ = 0;  // Of the newest.
};

}  // namespace rps::net
