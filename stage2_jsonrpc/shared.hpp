// What the threads of one server share. The server owns it, and it outlives all threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

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

// The place of one connection among connections_max. It is given back when its holder goes, on
// whatever way. Null: none.
struct GiveBack {
  void operator()(std::atomic<std::size_t>* connections) const { connections->fetch_sub(1); }
};
using Place = std::unique_ptr<std::atomic<std::size_t>, GiveBack>;

struct Shared {
  // A place, if one is free.
  Place take_place() {
    Place place(&connections);
    return connections.fetch_add(1) < connections_max.load() ? std::move(place) : nullptr;
  }

  const Limits limits;
  Game& game;
  server::Metrics& metrics;
  spdlog::logger& log;
  Counters counters;
  PeerLimits peers;
  net::HostNames host_names;
  std::atomic<std::size_t> connections{0};  // Open ones, of all threads.
  // So many may be open, which can change; limits.connections_max is the value at the start.
  std::atomic<std::size_t> connections_max{limits.connections_max};
};

}  // namespace rps::jsonrpc
