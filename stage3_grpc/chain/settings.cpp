#include "stage3_grpc/chain/settings.hpp"

#include "core/flags/group.hpp"

namespace rps::rpc::chain {

void add_flags(CLI::App& app, ChainSettings& settings) {
  flags::Group chain(app, "Every call");
  chain.add_choice("--metrics", settings.has_metrics, {{"on", true}, {"off", false}},
                   "Whether calls are counted and timed; off, the metrics of requests stand still");
}

}  // namespace rps::rpc::chain
