// What stands between gRPC and the sockets of its connections (boundary/README.md): the place that
// a connection has in the budget, the flood guard and the coalescing of writes; the last two unless
// their flags switch them off.
//
//   rps_write_coalescing_active   1 when replies that are ready together are sent together
#pragma once

#include <functional>
#include <memory>

#include "core/clock.hpp"
#include "core/net/fd.hpp"
#include "core/server/metrics.hpp"
#include "stage3_grpc/boundary/connection_budget.hpp"
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
  // and says so in the log and the metrics. When they cannot, `budget` stops counting: then
  // --max-connections has no effect. Call once, before attach().
  void start(const Take& take, boundary::ConnectionBudget& budget);

  // From now on the filters stand between gRPC, which does not know `fd` yet, and the socket. They
  // give the place back when gRPC closes the socket; it is given back at once when filters cannot
  // work.
  void attach(int fd, boundary::ConnectionBudget::Place place);

  FloodGuard& flood_guard() { return flood_guard_; }

 private:
  bool check(const Take& take);

  const Limits& limits_;
  spdlog::logger& log_;
  FloodGuard flood_guard_;
  std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Gauge* coalescing_gauge_;  // Owned by registry_.
  bool can_work_ = false;
  bool coalesces_writes_ = false;
};

}  // namespace rps::rpc
