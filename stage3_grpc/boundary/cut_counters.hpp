// How many connections the boundary has closed, by reason.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "stage3_grpc/boundary/frame_ledger.hpp"

namespace prometheus {
class Counter;
class Registry;
}  // namespace prometheus

namespace rps::rpc::boundary {

using CutCounts = std::array<std::uint64_t, all_breaches.size()>;  // In the order of all_breaches.

// Every function may be called from any thread.
class CutCounters {
 public:
  CutCounters();

  // Counts the connection of socket `fd`, which is still open.
  void count(Breach breach, int fd);

  CutCounts counts() const;

  // The address of the peer that was counted last: "127.0.0.1:40000".
  std::string last_peer() const;

  // rps_connections_cut_total{reason}
  std::shared_ptr<prometheus::Registry> registry() const { return registry_; }

 private:
  std::shared_ptr<prometheus::Registry> registry_;  // Owns what counters_ points to.
  std::array<prometheus::Counter*, all_breaches.size()> counters_{};
  mutable std::mutex mutex_;  // Guards what follows.
  std::string last_peer_;
};

}  // namespace rps::rpc::boundary
