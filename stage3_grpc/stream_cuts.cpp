#include "stage3_grpc/stream_cuts.hpp"

#include <memory>

#include <prometheus/counter.h>
#include <prometheus/registry.h>

namespace rps::rpc {

StreamCuts::StreamCuts(server::Metrics& metrics) {
  const auto registry = std::make_shared<prometheus::Registry>();
  auto& cuts = prometheus::BuildCounter()
                   .Name("rps_streams_cut_total")
                   .Help("Streams ended because their peers left too much unread.")
                   .Register(*registry);
  duels = &cuts.Add({{"method", "Duel"}});
  watches = &cuts.Add({{"method", "Watch"}});
  metrics.add(registry);
}

}  // namespace rps::rpc
