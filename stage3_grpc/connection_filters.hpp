// What stands between gRPC and the sockets of its connections (boundary/README.md): the flood guard
// and the coalescing of writes, each unless its flag switches it off.
//
//   rps_write_coalescing_active   1 when replies that are ready together are sent together
#pragma once

#include <functional>
#include <memory>

#include "core/clock.hpp"
#include "core/net/fd.hpp"
#include "core/server/metrics.hpp"
#include "stage3_grpc/flood_guard.hpp"
#include "stage3_grpc/limits.hpp"

namespace prometheus {
class Registry;
}

namespace spdlog {
class logger;
}

namespace rps::rpc {

class ConnectionFilters {
 public:
  // Hands a connection to gRPC.
  using Take = std::function<void(net::Fd connection)>;

  // Adds its metrics. REQUIRES: `limits` and `log` outlive it.
  ConnectionFilters(const Limits& limits, server::Metrics& metrics, spdlog::logger& log);

  // Finds out with a connection of its own, which it passes to `take`, whether filters can work,
  // and says so in the log and the metrics. Call once, before attach().
  void start(const Take& take);

  // From now on the filters stand between gRPC, which does not know `fd` yet, and the socket.
  void attach(int fd);

  FloodGuard& flood_guard() { return flood_guard_; }

 private:
  bool check(const Take& take);

  const Limits& limits_;
  spdlog::logger& log_;
  FloodGuard flood_guard_;
  std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Gauge* coalescing_gauge_;  // Owned by registry_.
  bool coalesces_writes_ = false;
};

}  // namespace rps::rpc
