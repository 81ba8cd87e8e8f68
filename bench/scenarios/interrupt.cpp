#include "bench/scenarios/interrupt.hpp"

#include <csignal>
#include <ctime>

namespace rps::scenarios {

namespace {

sigset_t ending_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

Interrupt::Interrupt() {
  const sigset_t signals = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

bool Interrupt::requested() {
  if (requested_) return true;
  const sigset_t signals = ending_signals();
  const timespec now{};
  if (::sigtimedwait(&signals, nullptr, &now) < 0) return false;
  requested_ = true;
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  return true;
}

}  // namespace rps::scenarios
