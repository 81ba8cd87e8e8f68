#include "stage2_jsonrpc/peer_limits.hpp"

#include "core/net/peer_key.hpp"
#include "core/random.hpp"

namespace rps::jsonrpc {

std::size_t PeerLimits::Hash::operator()(const std::string& key) const {
  return hash_bytes(key, seed);
}

std::shared_ptr<TokenBucket> PeerLimits::bucket_of(const sockaddr_storage& address) {
  if (limits_.calls_per_second_max == 0) return nullptr;
  const std::scoped_lock lock(mutex_);
  auto& bucket = buckets_[net::peer_key(address)];
  if (!bucket) {
    bucket = std::make_shared<TokenBucket>();
  }
  return bucket;
}

void PeerLimits::sweep(Clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(buckets_, [&](const auto& entry) {
    return entry.second.use_count() == 1 && entry.second->is_full(now);
  });
}

}  // namespace rps::jsonrpc
