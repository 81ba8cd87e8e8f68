// gRPC's own log, brought into ours. gRPC keeps one log function for the whole process and passes
// it no argument, so the logger it leads to must stand in a variable of the process.
#pragma once

namespace spdlog {
class logger;
}

namespace rps::rpc {

// While it lives, what gRPC logs (errors, unless GRPC_VERBOSITY says otherwise) goes to `log`; of
// several the latest counts, and after the last gRPC is silent. Protobuf is silenced for good.
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
