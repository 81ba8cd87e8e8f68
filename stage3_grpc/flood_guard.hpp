// Closes connections that flood the server with HTTP/2 frames, and those without calls: puts an
// accountant (boundary/accountant.hpp) between gRPC and each socket, and reports what was closed.
//
//   rps_flood_guard_active               1 when connections are watched, 0 when they are not
//   rps_connections_cut_total{reason}    connections closed; the reasons: boundary::Breach
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "core/clock.hpp"
#include "core/server/metrics.hpp"
#include "stage3_grpc/boundary/cut_counters.hpp"
#include "stage3_grpc/boundary/frame_ledger.hpp"
#include "stage3_grpc/boundary/open_connections.hpp"
#include "stage3_grpc/boundary/socket_calls.hpp"
#include "stage3_grpc/limits.hpp"

namespace prometheus {
class Gauge;
}

namespace spdlog {
class logger;
}

namespace rps::rpc {

class FloodGuard {
 public:
  // Adds its metrics. Watches nothing yet. REQUIRES: `log` outlives it.
  FloodGuard(const Limits& limits, server::Metrics& metrics, spdlog::logger& log);

  // Connections are watched from now on, unless the flag says otherwise or filters cannot work
  // (connection_filters.hpp). Call once, before watch().
  void start(bool can_work);

  bool is_active() const { return is_active_; }

  // Other values for --max-calls and --give-way-after, for all connections at once. Any thread.
  void reconfigure(const Limits& fresh);

  // What stands between gRPC and the socket `fd` to watch it, and itself reads and writes through
  // `socket`. Any thread. REQUIRES: is_active().
  std::unique_ptr<boundary::SocketFilter> watch(int fd,
                                                std::unique_ptr<boundary::SocketFilter> socket);

  // The pool of open calls, to which the services report each call's end. Lives as long as the
  // guard.
  boundary::CallPool& calls() { return *connections_->calls(); }

  // Closes some idle connections, so that a new one finds a place soon. False when there is none,
  // or no connection is watched. Any thread.
  bool make_room();

  // The server drains: see OpenConnections::say_goodbye(). False when no connection is watched. Any
  // thread.
  bool say_goodbye();

  // Closes the connections whose peers have not acknowledged that or have calls open. Any thread.
  void close_unfinished() { connections_->close_unfinished(); }

  // Ends idle connections, and writes one line about the connections closed since the last call, if
  // there were any. To be called about once a second, by one thread at a time.
  void tick(Clock::time_point now);

 private:
  void report(const boundary::CutCounts& counts);

  const bool is_wanted_;
  std::atomic<std::chrono::milliseconds> in_use_max_;
  const Clock::duration idle_max_;
  spdlog::logger& log_;
  const boundary::Budgets budgets_;
  const std::shared_ptr<boundary::OpenConnections> connections_;
  prometheus::Gauge* active_gauge_;  // Owned by the registry of their counters.
  bool is_active_ = false;
  boundary::CutCounts reported_{};
};

}  // namespace rps::rpc
