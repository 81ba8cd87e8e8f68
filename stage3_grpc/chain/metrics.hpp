// The link that counts and times messages (core/server/metrics.hpp): from the beginning of their
// decoding until their answers are handed over to gRPC.
#pragma once

#include "core/server/metrics.hpp"
#include "stage3_grpc/chain/chain.hpp"

namespace rps::rpc::chain {

class Metrics : public Link {
 public:
  // REQUIRES: `metrics` outlives the link.
  explicit Metrics(server::Metrics& metrics) : metrics_(metrics) {}

  bool configure(const ChainSettings& settings) { return settings.has_metrics; }

  std::optional<Refusal> begin(CallInfo& /*call*/) {
    metrics_.call_began();
    return std::nullopt;
  }

  void end(const CallInfo& call, const Outcome& outcome) noexcept {
    metrics_.call_ended();
    refused(call, outcome);
  }

  // Was never in flight.
  void refused(const CallInfo& call, const Outcome& outcome) noexcept {
    metrics_.answered(call.operation, outcome.error, outcome.ended_at - call.began_at);
  }

 private:
  server::Metrics& metrics_;
};

}  // namespace rps::rpc::chain
