// A TCP relay before a server, which makes a slow server of it: what the server sends reaches the
// client later by a fixed time.
#pragma once

#include <thread>

#include "core/clock.hpp"
#include "core/url.hpp"

namespace rps::load {

// Relays on a thread of its own, until it is destroyed; then it closes its connections.
class Relay {
 public:
  // Listens on a port of 127.0.0.1 that the system chooses, and connects to `server` once for each
  // connection that it accepts. What comes from the client is passed on at once. What comes from
  // the server, its end included, is held back for `delay`, in any amount. Throws std::exception
  // when it cannot listen, or may not have a thread.
  Relay(const HostPort& server, Clock::duration delay);

  // Where it listens.
  const HostPort& address() const { return address_; }

 private:
  HostPort address_;
  std::jthread thread_;
};

}  // namespace rps::load
