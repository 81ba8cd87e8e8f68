#include "stage3_grpc/chain/rate_limit.hpp"

#include <chrono>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include "core/limits.hpp"
#include "core/net/peer_key.hpp"
#include "core/random.hpp"

namespace rps::rpc::chain {

namespace {

// The brackets, and the '%' in front of a zone, are escaped.
std::optional<std::string> key_of_ipv6(std::string_view peer) {
  sockaddr_storage address{};
  auto& ipv6 = reinterpret_cast<sockaddr_in6&>(address);
  constexpr std::string_view front = "ipv6:%5B";
  if (!peer.starts_with(front)) return std::nullopt;
  peer.remove_prefix(front.size());
  const std::string host(peer.substr(0, peer.find('%')));
  if (::inet_pton(AF_INET6, host.c_str(), &ipv6.sin6_addr) != 1) return std::nullopt;
  address.ss_family = AF_INET6;
  return net::peer_key(address);
}

prometheus::Counter& add_counter(prometheus::Registry& registry, const char* name, const char* help,
                                 const prometheus::Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add(labels);
}

Refusal overloaded(std::chrono::nanoseconds wait) {
  const auto wait_ms = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
  return {.error = Error::overloaded, .retry_after_ms = static_cast<std::uint32_t>(wait_ms)};
}

}  // namespace

std::uint64_t address_key(std::string_view peer, std::uint64_t secret) {
  // gRPC has one spelling for an address of IPv4.
  if (peer.starts_with("ipv4:")) return hash_bytes(peer.substr(0, peer.rfind(':')), secret);
  if (const auto key = key_of_ipv6(peer)) return hash_bytes(*key, secret);
  return hash_bytes(peer, secret);
}

RateLimit::RateLimit(server::Metrics& metrics, std::uint64_t secret, std::size_t sets_of_buckets)
    : secret_(secret),
      sets_(sets_of_buckets),
      registry_(std::make_shared<prometheus::Registry>()),
      refused_in_progress_(
          &add_counter(*registry_, "rps_calls_refused_total",
                       "Calls answered with overloaded, because they are too many.",
                       {{"reason", "in_progress"}})),
      refused_rate_(&add_counter(*registry_, "rps_calls_refused_total",
                                 "Calls answered with overloaded, because they are too many.",
                                 {{"reason", "rate"}})),
      evicted_(&add_counter(*registry_, "rps_rate_buckets_evicted_total",
                            "Callers whose bucket was forgotten before it was full again.", {})) {
  metrics.add(registry_);
}

bool RateLimit::configure(const ChainSettings& settings) {
  const std::uint32_t per_second = settings.calls_per_second_max;
  if (per_second > 0 && !buckets_) buckets_ = std::make_unique<BucketTable>(sets_);
  in_progress_max_.store(settings.calls_in_progress_max, std::memory_order_relaxed);
  const std::uint64_t burst = settings.calls_burst_max;
  rate_.store(per_second > 0 ? burst << 32 | per_second : 0, std::memory_order_release);
  return per_second > 0 || settings.calls_in_progress_max > 0;
}

std::optional<Refusal> RateLimit::begin(CallInfo& call) {
  if (!take_place(call)) {
    refused_in_progress_->Increment();
    return overloaded(std::chrono::milliseconds(limits::retry_after_ms));
  }
  const std::uint64_t rate = rate_.load(std::memory_order_acquire);
  if (rate == 0) return std::nullopt;
  const std::chrono::nanoseconds wait =
      take_call(call, {static_cast<std::uint32_t>(rate), static_cast<std::uint32_t>(rate >> 32)});
  if (wait.count() == 0) return std::nullopt;
  refused_rate_->Increment();
  return overloaded(wait);
}

bool RateLimit::take_place(CallInfo& call) {
  const std::int64_t most = in_progress_max_.load(std::memory_order_relaxed);
  if (most == 0 || call.has_place) return true;
  call.has_place = in_progress_.fetch_add(1, std::memory_order_relaxed) < most;
  if (!call.has_place) in_progress_.fetch_sub(1, std::memory_order_relaxed);
  return call.has_place;
}

std::chrono::nanoseconds RateLimit::take_call(CallInfo& call, const CallRate& rate) {
  const std::uint64_t key = call.identity ? hash_bytes(call.identity->name, ~secret_)
                                          : address_key(call.transport.peer(), secret_);
  const BucketTable::Taken taken = buckets_->take(key, rate, call.began_at);
  if (taken.has_evicted) evicted_->Increment();
  return taken.wait;
}

void RateLimit::end_call(const CallInfo& call) noexcept {
  if (call.has_place) in_progress_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace rps::rpc::chain
