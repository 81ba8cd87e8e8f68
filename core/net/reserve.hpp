// One descriptor, held so that a peer can be turned away when the process has no other left.
//
// accept() then fails, and the peer stays in the listening socket's queue, where it cannot tell
// that from a slow server. With the reserve, the peer's connection is accepted and closed, which
// the peer notices.
#pragma once

#include "core/net/fd.hpp"

namespace rps::net {

class Reserve {
 public:
  Reserve();

  // Accepts the connection that waits longest at the non-blocking socket `listener`, with the
  // descriptor in reserve, and closes it. False when nobody waits, or when even that failed:
  // another thread may have taken the descriptor.
  bool turn_away(const Fd& listener);

 private:
  Fd fd_;
};

}  // namespace rps::net
