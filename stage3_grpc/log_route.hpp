// Writes what gRPC logs to the server's logger. gRPC keeps one log function for the whole process
// and passes it no argument of ours, so that function finds the logger in a variable of the
// process.
#pragma once

#include "core/clock.hpp"

namespace spdlog {
class logger;
}

namespace rps::rpc {

// While it lives, what gRPC logs (errors, unless GRPC_VERBOSITY says otherwise) goes to `log`: ten
// lines a second at most (limits.hpp); of further ones a line says afterwards how many they were.
// When there are several, the one made last gets the lines; after it is destroyed nothing is
// logged. Protobuf's own log is switched off for the rest of the process. REQUIRES: `log` outlives
// it.
class LogRoute {
 public:
  explicit LogRoute(spdlog::logger& log);
  ~LogRoute();
  LogRoute(const LogRoute&) = delete;
  LogRoute& operator=(const LogRoute&) = delete;

  // Tells of lines that were not written, if their second is over. To be called about once a
  // second; the destructor does it, too.
  void tick(Clock::time_point now);

 private:
  spdlog::logger& log_;
};

}  // namespace rps::rpc
