// Writes what gRPC logs to the server's logger. gRPC keeps one log function for the whole process
// and passes it no argument of ours, so that function finds the logger in a variable of the
// process.
#pragma once

namespace spdlog {
class logger;
}

namespace rps::rpc {

// While it lives, what gRPC logs (errors, unless GRPC_VERBOSITY says otherwise) goes to `log`. When
// there are several, the one made last gets the lines; after it is destroyed nothing is logged.
// Protobuf's own log is switched off for the rest of the process.
// REQUIRES: `log` outlives it.
class LogRoute {
 public:
  explicit LogRoute(spdlog::logger& log);
  ~LogRoute();
  LogRoute(const LogRoute&) = delete;
  LogRoute& operator=(const LogRoute&) = delete;

 private:
  spdlog::logger& log_;
};

}  // namespace rps::rpc
