// One token bucket for each address that connects. All connections of an address share the bucket,
// and it stays in the table for some time after they have closed.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include <sys/socket.h>

#include "core/clock.hpp"
#include "core/token_bucket.hpp"
#include "stage2_jsonrpc/limits.hpp"

namespace rps::jsonrpc {

// Safe from any thread. Its lock is taken when a connection opens, never for a call.
class PeerLimits {
 public:
  // REQUIRES: `limits` outlives this. `hash_seed` is secret and random: without it, peers could
  // choose addresses whose hashes collide.
  PeerLimits(const Limits& limits, std::uint64_t hash_seed)
      : limits_(limits), buckets_(0, Hash{hash_seed}) {}

  // The bucket of the address (without its port); null when calls are not limited.
  std::shared_ptr<TokenBucket> bucket_of(const sockaddr_storage& address);

  // Removes addresses that have no connection and whose bucket is full again.
  void sweep(Clock::time_point now);

 private:
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(const std::string& key) const;
  };

  const Limits& limits_;
  std::mutex mutex_;  // Guards what follows.
  std::unordered_map<std::string, std::shared_ptr<TokenBucket>, Hash> buckets_;
};

}  // namespace rps::jsonrpc
