#include "stage3_grpc/chain/settings.hpp"

#include "core/flags/group.hpp"

namespace rps::rpc::chain {

void add_flags(CLI::App& app, ChainSettings& settings) {
  flags::Group chain(app, "Every call");
  chain.add_choice("--trace", settings.has_trace, {{"on", true}, {"off", false}},
                   "Whether a call's traceparent is read, and one returned with the response");
  chain.add_share("--trace-sampling", settings.trace_sampling, {.min = 0, .max = 1},
                  "Of the calls without a traceparent, those that begin a trace");
  chain.add_choice("--metrics", settings.has_metrics, {{"on", true}, {"off", false}},
                   "Whether calls are counted and timed; off, the metrics of requests stand still");
}

}  // namespace rps::rpc::chain
