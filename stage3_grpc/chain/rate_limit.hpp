// The link that refuses what is too much with Error::overloaded:
//
//   --max-calls-in-progress  calls open at once, of all callers together. A call counts from its
//                            first message until it is over, so an open stream counts.
//   --rate-limit             messages a second of one caller, with --rate-burst above it. A caller
//                            is known by the identity that Auth has found, else by its address.
//
//   rps_calls_refused_total{reason}   reason: "in_progress" or "rate"
//   rps_rate_buckets_evicted_total    callers whose bucket was forgotten before it was full again
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/server/metrics.hpp"
#include "stage3_grpc/chain/bucket_table.hpp"
#include "stage3_grpc/chain/chain.hpp"

namespace prometheus {
class Counter;
class Registry;
}  // namespace prometheus

namespace rps::rpc::chain {

// A hash of the address without its port, and of an IPv6 address only of the network
// (core/net/peer_key.hpp). `peer` as Transport::peer() spells it; of what is no IP address all of
// the text counts.
std::uint64_t address_key(std::string_view peer, std::uint64_t secret);

class RateLimit : public Link {
 public:
  // Callers whose buckets are kept: 65,536 in 1 MiB.
  static constexpr std::size_t sets = 8'192;

  // `secret`: random. Adds its metrics.
  RateLimit(server::Metrics& metrics, std::uint64_t secret, std::size_t sets_of_buckets = sets);

  bool configure(const ChainSettings& settings);

  std::optional<Refusal> begin(CallInfo& call);
  void end_call(const CallInfo& call) noexcept;

 private:
  bool take_place(CallInfo& call);
  std::chrono::nanoseconds take_call(CallInfo& call, const CallRate& rate);

  const std::uint64_t secret_;
  const std::size_t sets_;
  std::shared_ptr<prometheus::Registry> registry_;  // Owns the counters.
  prometheus::Counter* refused_in_progress_;
  prometheus::Counter* refused_rate_;
  prometheus::Counter* evicted_;
  std::atomic<std::int64_t> in_progress_{0};
  std::atomic<std::int64_t> in_progress_max_{0};  // 0: no limit.
  // Calls a second and, in the upper half, the burst. 0: no limit.
  std::atomic<std::uint64_t> rate_{0};
  std::unique_ptr<BucketTable> buckets_;  // Made before rate_ is first other than 0, and then kept.
};

}  // namespace rps::rpc::chain
