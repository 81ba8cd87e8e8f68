#include "stage3_grpc/peer_table.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace rps::rpc {

namespace {

std::string of_ipv4(const in_addr& address, in_port_t port) {
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &address, text.data(), text.size());
  return std::string("ipv4:") + text.data() + ":" + std::to_string(ntohs(port));
}

// The zone of a link-local address is written as RFC 4007 does, and '%', '[' and ']' are escaped.
std::string of_ipv6(const sockaddr_in6& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
  std::string host = text.data();
  if (address.sin6_scope_id != 0) {
    std::array<char, IF_NAMESIZE> zone{};
    const char* const name = ::if_indextoname(address.sin6_scope_id, zone.data());
    host += "%25" + (name ? std::string(name) : std::to_string(address.sin6_scope_id));
  }
  return "ipv6:%5B" + host + "%5D:" + std::to_string(ntohs(address.sin6_port));
}

}  // namespace

const PeerTable::Shard& PeerTable::shard_of(std::string_view address) const {
  return shards_[Hash{}(address) % shards_.size()];
}

PeerTable::Shard& PeerTable::shard_of(std::string_view address) {
  return shards_[Hash{}(address) % shards_.size()];
}

void PeerTable::add(std::string address, std::shared_ptr<const Peer> peer) {
  Shard& shard = shard_of(address);
  const std::scoped_lock lock(shard.mutex);
  shard.peers.emplace(std::move(address), std::move(peer));
}

void PeerTable::remove(std::string_view address, const Peer& peer) {
  Shard& shard = shard_of(address);
  const std::scoped_lock lock(shard.mutex);
  const auto [begin, end] = shard.peers.equal_range(address);
  const auto found =
      std::find_if(begin, end, [&peer](const auto& entry) { return entry.second.get() == &peer; });
  if (found != end) shard.peers.erase(found);
}

std::shared_ptr<const Peer> PeerTable::find(std::string_view address) const {
  const Shard& shard = shard_of(address);
  const std::scoped_lock lock(shard.mutex);
  const auto [begin, end] = shard.peers.equal_range(address);
  if (begin == end) return nullptr;
  const bool is_one = std::all_of(begin, end, [&first = *begin](const auto& entry) {
    return entry.second->identity == first.second->identity;
  });
  return is_one ? begin->second : nullptr;
}

std::string peer_address_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  if (storage.ss_family == AF_INET) {
    const auto& address = reinterpret_cast<const sockaddr_in&>(storage);
    return of_ipv4(address.sin_addr, address.sin_port);
  }
  if (storage.ss_family != AF_INET6) return {};
  const auto& address = reinterpret_cast<const sockaddr_in6&>(storage);
  if (!IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) return of_ipv6(address);
  in_addr inner{};
  std::memcpy(&inner, address.sin6_addr.s6_addr + 12, sizeof inner);
  return of_ipv4(inner, address.sin6_port);
}

PeerEntry::PeerEntry(std::shared_ptr<PeerTable> table, std::string address, Peer peer)
    : table_(std::move(table)),
      address_(std::move(address)),
      peer_(std::make_shared<const Peer>(std::move(peer))) {
  table_->add(address_, peer_);
}

PeerEntry::~PeerEntry() {
  table_->remove(address_, *peer_);
}

}  // namespace rps::rpc
