// Lets a program poll for Ctrl-C instead of being interrupted by a signal handler.
#pragma once

namespace rps::scenarios {

class Interrupt {
 public:
  // Holds SIGINT and SIGTERM back in this thread and in those it starts, so make it before any
  // other thread. SIGPIPE is ignored: a server that goes away is a result, not the end.
  Interrupt();

  // Whether one of them has come. The first to come is taken; after it they act as usual again, so
  // that a second Ctrl-C ends a process that does not get ready.
  bool requested();

 private:
  bool requested_ = false;
};

}  // namespace rps::scenarios
