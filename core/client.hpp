// The client seam: every stage seen from the player's side. The conformance suite, the harness and
// every tool know this interface and URLs, and nothing else of a transport.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/clock.hpp"
#include "core/command.hpp"

namespace rps {

// When a call's bytes left and when its reply's bytes were here, both read next to the socket.
struct Stamps {
  Clock::time_point sent_at;
  Clock::time_point received_at;
};

// Where replies and events are handed over.
class Sink : public EventSink {
 public:
  // The reply to submit(id). `reply` and what it points to live until this returns. Calling
  // submit() from here is allowed: that is how a closed loop keeps its depth.
  virtual void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) = 0;

 protected:
  ~Sink() = default;
};

// One player, or many that share a transport. Used by one thread at a time; allocates nothing per
// call once it has warmed up.
class Client {
 public:
  virtual ~Client() = default;

  // Starts a call. Exactly one on_reply(id) follows, from inside poll(): a transport that breaks
  // answers every open call with Error::unavailable. Copies what `command` points to. A client
  // that holds several connections sends the calls of one id over one of them while it has room.
  // REQUIRES: fewer than in_flight_max() calls are open.
  virtual void submit(std::uint64_t id, const Command& command) = 0;

  // Sends what was submitted and hands over what has arrived; when nothing has, waits for the
  // first arrival until `deadline`. Returns how many replies and events it handed over.
  virtual std::size_t poll(Clock::time_point deadline, Sink& sink) = 0;

  // How many calls may be open at once.
  virtual std::size_t in_flight_max() const = 0;
};

// How a client is to be opened, whatever it speaks.
struct ConnectOptions {
  std::size_t connections = 1;                  // Sockets, channels or child processes.
  std::size_t depth = 1;                        // Open calls on each, at most.
  std::chrono::milliseconds timeout_max{2000};  // For opening all of them.
};

}  // namespace rps
