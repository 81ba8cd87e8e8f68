// The client interface, which every stage implements for its own transport. The conformance suite,
// the harness and every tool reach a server through this interface and a URL only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/clock.hpp"
#include "core/command.hpp"
#include "core/observation.hpp"

namespace rps {

// When the client began to write a call's bytes, and when it had read its reply's bytes. The client
// reads the clock next to the system call.
struct Stamps {
  Clock::time_point sent_at;
  Clock::time_point received_at;

  // False when no server answered: the client itself gives the reply Error::unavailable, because
  // the call's connection broke or there is none. A server that refuses so has answered.
  bool is_answered = true;
};

// What became of a client's connections since it was made.
struct ConnectionCounts {
  std::uint64_t reconnects = 0;  // Connections that were opened again.
  std::uint64_t resent = 0;      // Calls that were sent again, which was safe.

  // Calls whose connection broke after they were sent, and which were not sent again: the server
  // may have carried them out or not.
  std::uint64_t uncertain = 0;

  bool operator==(const ConnectionCounts&) const = default;
};

// Where replies, events and observations are handed over.
class Sink : public EventSink {
 public:
  // A duel that this client watches shows something. The reply to the watch comes before the first
  // observation; the last one says is_over, unless on_watch_ended() comes first.
  virtual void on_observation(const Observation& /*seen*/) {}

  // The watch that submit(id) began, and that was not refused, has ended before an observation said
  // is_over; none follows. reply.error says why: `overloaded`, too much was left unread;
  // `unavailable`, the server drains or the connection broke; `internal`, the server sent something
  // that is no observation, or ended the watch of a duel that goes on. A new watch begins with how
  // the duel then stands.
  virtual void on_watch_ended(std::uint64_t /*id*/, const Reply& /*reply*/) {}

  // The reply to submit(id). `reply` and what it points to live until on_reply() returns.
  // on_reply() may call submit(): so a closed loop replaces each answered call by the next.
  virtual void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) = 0;

 protected:
  ~Sink() = default;
};

// One player, or several players on connections of one client. One thread at a time may use it. In
// steady state it allocates nothing per call.
class Client {
 public:
  virtual ~Client() = default;

  // Starts a call. Exactly one on_reply(id) follows, from inside poll(). When a connection ends,
  // the client may open it again and send the calls again that the server has certainly not
  // processed; it answers the others with Error::unavailable. Copies what `command` points to. A
  // client that holds several connections sends the calls of one id over one of them while it has
  // room. REQUIRES: fewer than in_flight_max() calls are open.
  virtual void submit(std::uint64_t id, const Command& command) = 0;

  // Sends the submitted calls and passes to the sink what has arrived: replies, events,
  // observations and ends of watches. When none has arrived, waits until one does or `deadline` has
  // passed. Returns how many it passed on.
  virtual std::size_t poll(Clock::time_point deadline, Sink& sink) = 0;

  // How many calls may be open at once.
  virtual std::size_t in_flight_max() const = 0;

  // All zero for a transport without connections, or one whose library does not tell.
  virtual ConnectionCounts connection_counts() const { return {}; }
};

// How to open a client, whatever its transport.
struct ConnectOptions {
  std::size_t connections = 1;                  // Sockets, channels or child processes.
  std::size_t depth = 1;                        // Open calls on each, at most.
  std::chrono::milliseconds timeout_max{2000};  // For opening all of them.

  // Whether the client tries to connect again for as long as it lives when its server is gone. Else
  // it tries each address of the server once.
  bool outlasts_outages = false;
};

}  // namespace rps
