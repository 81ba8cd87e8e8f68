// One descriptor, held so that a peer can be accepted when the process has no other left.
//
// accept() then fails, and the peer stays in the listening socket's queue, where it cannot tell
// that from a slow server. With the reserve the peer's connection is accepted, and served or
// closed, which the peer notices.
#pragma once

#include "core/net/fd.hpp"

namespace rps::net {

class Reserve {
 public:
  Reserve();

  // Accepts the connection that waits longest at the non-blocking socket `listener`, with the
  // descriptor in reserve; it is non-blocking. Nothing when nobody waits, when the reserve is used
  // up, or when another thread was faster and took the descriptor.
  Fd accept(int listener);

  // Holds a descriptor in reserve again, if there is one to be had. Called when one may be free.
  void refill();

  // Accepts a connection in this way and closes it. False when none was accepted.
  bool turn_away(const Fd& listener);

 private:
  Fd null_;  // What fd_ is a duplicate of.
  Fd fd_;
};

}  // namespace rps::net
