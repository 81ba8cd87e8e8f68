// Who stands at the other end of each connection: the identity that its client certificate proved.
//
// gRPC sees no certificates, because TLS ends before it (tls/filter.hpp). A call knows only its
// peer's address, and finds the identity here by it.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace rps::rpc {

struct Peer {
  // From the certificate that the server has verified: the first SPIFFE URI among its subject's
  // alternative names, else the first DNS name, else the common name. Empty: no such certificate.
  std::string identity;
};

// Every function may be called from any thread.
class PeerTable {
 public:
  // `address` as grpc::ServerContext::peer() spells it: see peer_address_of().
  void add(std::string address, std::shared_ptr<const Peer> peer);

  // Takes out what add() put in with this peer. A peer that is not there is no mistake.
  void remove(std::string_view address, const Peer& peer);

  // Null when the address is unknown, and when it has connections of different identities: one port
  // of a client may be connected to several addresses of the server at once, and behind a
  // translator of addresses these may be different clients.
  std::shared_ptr<const Peer> find(std::string_view address) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view address) const {
      return std::hash<std::string_view>{}(address);
    }
  };
  using Peers =
      std::unordered_multimap<std::string, std::shared_ptr<const Peer>, Hash, std::equal_to<>>;
  struct Shard {
    mutable std::mutex mutex;
    Peers peers;
  };

  const Shard& shard_of(std::string_view address) const;
  Shard& shard_of(std::string_view address);

  std::array<Shard, 16> shards_;
};

// The address at the other end of a socket, as grpc::ServerContext::peer() spells it:
// "ipv4:127.0.0.1:4242", "ipv6:%5B::1%5D:4242"; an IPv4 address in an IPv6 one (RFC 4291, section
// 2.5.5.2) as IPv4. Empty when the socket is not connected over IP.
std::string peer_address_of(int fd);

// A place in the table for as long as the entry lives.
class PeerEntry {
 public:
  PeerEntry(std::shared_ptr<PeerTable> table, std::string address, Peer peer);
  ~PeerEntry();
  PeerEntry(const PeerEntry&) = delete;
  PeerEntry& operator=(const PeerEntry&) = delete;

 private:
  const std::shared_ptr<PeerTable> table_;
  const std::string address_;
  const std::shared_ptr<const Peer> peer_;
};

}  // namespace rps::rpc
