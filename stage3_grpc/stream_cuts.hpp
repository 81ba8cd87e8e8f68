// Counts the streams that the server has ended because their peers left too much unread:
//
//   rps_streams_cut_total{method}    method: "Duel", "Watch"
#pragma once

#include "core/server/metrics.hpp"

namespace prometheus {
class Counter;
}  // namespace prometheus

namespace rps::rpc {

// Any thread may increment the counters. `metrics` owns them, so it outlives them.
struct StreamCuts {
  explicit StreamCuts(server::Metrics& metrics);

  prometheus::Counter* duels = nullptr;
  prometheus::Counter* watches = nullptr;
};

}  // namespace rps::rpc
