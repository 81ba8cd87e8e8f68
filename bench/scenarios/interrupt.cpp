#include "bench/scenarios/interrupt.hpp"

#include <ctime>
#include <initializer_list>

#include "core/net/program.hpp"

namespace rps::scenarios {

Interrupt::Interrupt() {
  ::sigemptyset(&signals_);
  // A signal that is held back would be delivered even where it is ignored.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (!net::is_ignored(signal)) ::sigaddset(&signals_, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

bool Interrupt::requested() {
  if (requested_) return true;
  const timespec now{};
  if (::sigtimedwait(&signals_, nullptr, &now) < 0) return false;
  requested_ = true;
  ::sigdelset(&signals_, SIGHUP);
  ::pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  return true;
}

}  // namespace rps::scenarios
