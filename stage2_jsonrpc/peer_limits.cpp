#include "stage2_jsonrpc/peer_limits.hpp"

#include <string_view>

#include <netinet/in.h>

#include "core/random.hpp"

namespace rps::jsonrpc {

namespace {

template <class Address>
std::string bytes_of(const Address& address, std::size_t size = sizeof(Address)) {
  return {reinterpret_cast<const char*>(&address), size};
}

// The bytes by which peers are told apart. Of an IPv6 address only the first half counts: a host
// chooses the second half itself and may use as many as it likes.
std::string key_of(const sockaddr_storage& address) {
  constexpr std::size_t network_bytes = 8;
  if (address.ss_family == AF_INET) {
    return bytes_of(reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  }
  const in6_addr& host = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&host) || IN6_IS_ADDR_LOOPBACK(&host)) return bytes_of(host);
  return bytes_of(host, network_bytes);
}

}  // namespace

std::size_t PeerLimits::Hash::operator()(const std::string& key) const {
  return hash_bytes(key, seed);
}

std::shared_ptr<TokenBucket> PeerLimits::bucket_of(const sockaddr_storage& address) {
  if (limits_.calls_per_second_max == 0) return nullptr;
  const std::scoped_lock lock(mutex_);
  auto& bucket = buckets_[key_of(address)];
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
