// The chain in front of the game, and the links that it has.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/server/bulk_log.hpp"
#include "core/server/metrics.hpp"
#include "stage3_grpc/chain/auth.hpp"
#include "stage3_grpc/chain/chain.hpp"
#include "stage3_grpc/chain/log.hpp"
#include "stage3_grpc/chain/metrics.hpp"
#include "stage3_grpc/chain/rate_limit.hpp"
#include "stage3_grpc/chain/settings.hpp"
#include "stage3_grpc/chain/trace.hpp"

namespace rps::rpc::chain {

class GameChain {
 public:
  using Links = Chain<Auth, Trace, RateLimit, Metrics, Log>;
  using Passage = Links::Passage;

  // Whether the transport demands a certificate of each client (--tls-ca). Without, only tokens can
  // say who calls.
  enum class Certificates : std::uint8_t { none, demanded };

  // Throws std::runtime_error with a sentence for the operator when the file of --auth-tokens is
  // wrong. REQUIRES: `metrics` and the logs outlive the chain.
  GameChain(const ChainSettings& settings, Certificates certificates, server::Metrics& metrics,
            spdlog::logger& log, server::BulkLog& bulk_log);

  // Applies to messages that come from now on. The log says when the flags about callers cannot do
  // what they say. Any thread, one at a time. Throws std::system_error when the access log is to be
  // on and has no thread yet, and there can be no further one.
  void configure(const ChainSettings& settings);

  // Whether Metrics is on.
  bool counts_calls() const { return counts_calls_.load(std::memory_order_relaxed); }

  // Reads the file of --auth-tokens again if it may have changed. To be called about once a second,
  // by one thread.
  void tick(Clock::time_point now) { auth_.tick(now); }

  // Has the next tick() read that file. Any thread.
  void look_soon() { auth_.look_soon(); }

  // As in chain.hpp, from any number of threads at once.
  Passage begin(CallInfo& call) { return links_.begin(call); }
  void end(const CallInfo& call, const Passage& passage, const Outcome& outcome) noexcept {
    links_.end(call, passage, outcome);
  }
  void end_call(const CallInfo& call) noexcept { links_.end_call(call); }

 private:
  spdlog::logger& operator_log_;
  const Certificates certificates_;
  Auth auth_;
  Trace trace_;
  RateLimit rate_limit_;
  Metrics metrics_;
  server::BulkLog& bulk_log_;
  Log log_;
  Links links_;
  std::atomic<bool> counts_calls_{true};
};

}  // namespace rps::rpc::chain
