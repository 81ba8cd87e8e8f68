// Lets a program poll for Ctrl-C instead of being interrupted by a signal handler.
#pragma once

#include <csignal>

namespace rps::scenarios {

class Interrupt {
 public:
  // Holds SIGINT, SIGTERM and SIGHUP back in this thread and in those it starts, so make it before
  // any other thread. Those that the process was started to ignore (nohup) stay ignored. SIGPIPE is
  // ignored: a server that goes away is a result, not the end.
  Interrupt();

  // Whether one of them has come. The first to come is taken; after it SIGINT and SIGTERM act as
  // usual again, so that a second Ctrl-C ends a process that does not get ready. SIGHUP is held
  // back for good: when a terminal goes away, both the shell and the kernel may send it.
  bool requested();

 private:
  sigset_t signals_;
  bool requested_ = false;
};

}  // namespace rps::scenarios
