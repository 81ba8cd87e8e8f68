// What the threads of one server have in common. The server owns it; it outlives them all.
#pragma once

#include <atomic>
#include <cstddef>

#include "core/game.hpp"
#include "core/server/metrics.hpp"
#include "stage2_jsonrpc/counters.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/peer_limits.hpp"

namespace spdlog {
class logger;
}

namespace rps::jsonrpc {

struct Shared {
  const Limits limits;
  Game& game;
  server::Metrics& metrics;
  spdlog::logger& log;
  Counters counters;
  PeerLimits peers;
  std::atomic<std::size_t> connections{0};  // Open ones, of all threads.
};

}  // namespace rps::jsonrpc
