// What the threads of one server share. The server owns it, and it outlives all threads.
#pragma once

#include <atomic>
#include <cstddef>

#include "core/game.hpp"
#include "core/net/http_host.hpp"
#include "core/server/metrics.hpp"
#include "stage2_jsonrpc/counters.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/peer_limits.hpp"

namespace spdlog {
class logger;
}

namespace rps::jsonrpc {

struct Shared {
  // Counts one connection more, if there may be one more.
  bool take_place() {
    if (connections.fetch_add(1) < limits.connections_max) return true;
    connections.fetch_sub(1);
    return false;
  }

  const Limits limits;
  Game& game;
  server::Metrics& metrics;
  spdlog::logger& log;
  Counters counters;
  PeerLimits peers;
  net::HostNames host_names;
  std::atomic<std::size_t> connections{0};  // Open ones, of all threads.
};

}  // namespace rps::jsonrpc
