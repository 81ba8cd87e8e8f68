// What stands between gRPC and the sockets of its connections (boundary/README.md): the place that
// a connection has in the budget; the flood guard and the coalescing of writes, each unless its
// flag switches it off; and TLS, if its flags ask for it.
//
//   rps_write_coalescing_active   1 when replies that are ready together are sent together
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/clock.hpp"
#include "core/net/fd.hpp"
#include "core/server/metrics.hpp"
#include "stage3_grpc/boundary/connection_budget.hpp"
#include "stage3_grpc/flood_guard.hpp"
#include "stage3_grpc/limits.hpp"
#include "stage3_grpc/peer_table.hpp"
#include "stage3_grpc/transport_security.hpp"

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

  // Adds its metrics. Throws std::runtime_error when the certificates cannot be served. REQUIRES:
  // `limits` and `log` outlive it.
  ConnectionFilters(const Limits& limits, server::Metrics& metrics, spdlog::logger& log);

  // Finds out with a connection of its own, which it passes to `take`, whether filters can work,
  // and says so in the log and the metrics. Waits for gRPC to serve that connection, which takes a
  // millisecond, and limits::self_check_max at most. When they cannot, `budget` stops counting:
  // then
  // --max-connections has no effect. Call once, before attach(). Throws std::runtime_error when
  // filters cannot work and TLS is asked for.
  void start(const Take& take, boundary::ConnectionBudget& budget);

  // From now on the filters stand between gRPC, which does not know `fd` yet, and the socket. They
  // give the place back when gRPC closes the socket; it is given back at once when filters cannot
  // work. False when the connection must not be served, because TLS is asked for and cannot stand
  // there. One thread at a time. Throws std::bad_alloc.
  bool attach(int fd, boundary::ConnectionBudget::Place place);

  bool has_tls() const { return tls_.has_value(); }

  // Null without TLS.
  TransportSecurity* tls() { return tls_ ? &*tls_ : nullptr; }

  // Who is connected; empty without TLS.
  const std::shared_ptr<PeerTable>& peers() const { return peers_; }

  // To be called about once a second, by one thread at a time, also after the last attach().
  void tick(Clock::time_point now);

  FloodGuard& flood_guard() { return flood_guard_; }

 private:
  bool passes_check(const Take& take);

  const Limits& limits_;
  spdlog::logger& log_;
  FloodGuard flood_guard_;
  const std::shared_ptr<PeerTable> peers_ = std::make_shared<PeerTable>();
  std::optional<TransportSecurity> tls_;
  std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Gauge* coalescing_gauge_;  // Owned by registry_.
  bool can_work_ = false;
  bool coalesces_writes_ = false;
};

}  // namespace rps::rpc
