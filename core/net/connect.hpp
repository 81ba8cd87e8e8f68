// Connecting over TCP: in steps for an event loop, or with one call that waits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <string>
#include <vector>

#include <netdb.h>
#include <sys/socket.h>

#include "core/net/fd.hpp"
#include "core/url.hpp"

namespace rps::net {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  bool operator==(const Address& other) const {
    return size == other.size && std::memcmp(&storage, &other.storage, size) == 0;
  }
};

// REQUIRES: the address is not longer than any that a socket can have.
Address to_address(const addrinfo& info);

// Reads a numeric address; the error is a sentence. Names are refused, because looking one up may
// take seconds, in which an event loop would serve nothing else.
std::expected<Address, std::string> parse_address(const HostPort& target);

// A non-blocking socket with TCP_NODELAY that is connecting, or connected already. It becomes
// writable when the outcome is known. No descriptor, and errno, when it failed at once.
Fd begin_connect(const Address& address);

// Once the socket is writable: 0 when it is connected, else why not, as errno says it.
int connect_outcome(const Fd& socket);

// A server by its host, which may be a name with several addresses, and its port. It remembers
// which address answered last. Used by one thread.
class Endpoint {
 public:
  // How long an address is tried alone before the next one is tried beside it (RFC 8305, section
  // 8).
  static constexpr std::chrono::milliseconds stagger{250};

  // Looks up all addresses of the host, which may take seconds for a name. They are tried in the
  // resolver's order (RFC 6724), but families in turns (RFC 8305, section 4). Throws
  // std::system_error.
  explicit Endpoint(const HostPort& target);

  // `name` is for messages. REQUIRES: there is an address.
  Endpoint(std::string name, std::vector<Address> addresses);

  // Connects within `timeout`, and waits for the outcome. Each further address is tried when those
  // before it have failed, or `stagger` after the one before it; the first that is connected
  // counts. So an address that does not answer costs a stagger and not the time that is left.
  // Returns a non-blocking socket with TCP_NODELAY. Throws std::system_error.
  Fd connect(std::chrono::milliseconds timeout);

  // As begin_connect(), to the address that answered last.
  Fd begin_connect() { return net::begin_connect(addresses_[current_]); }

  // The attempt failed that begin_connect() began: the next one goes to the next address.
  void try_next() { current_ = (current_ + 1) % addresses_.size(); }

  std::size_t address_count() const { return addresses_.size(); }

 private:
  std::string name_;
  std::vector<Address> addresses_;  // Not empty.
  std::size_t current_ = 0;
};

// Endpoint::connect(), for those who connect once.
Fd connect_tcp(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout);

}  // namespace rps::net
