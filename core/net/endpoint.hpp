// A server by its host and port: which addresses it has, and which of them is tried first.
#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/net/address.hpp"
#include "core/net/fd.hpp"
#include "core/net/resolver.hpp"
#include "core/url.hpp"

namespace rps::net {

// A host that is an address has this one. The addresses of a name are looked up, and looked up
// again when a connection is opened again (Dialling). Used by one thread; only `look_up` is also
// called on that of a Resolver.
class Endpoint {
 public:
  // For how long the result of a look-up is taken for fresh.
  static constexpr std::chrono::seconds fresh_max{1};

  // Does not look up a name yet.
  explicit Endpoint(HostPort target, LookUp look_up = net::look_up);

  const HostPort& target() const { return target_; }

  // In the order in which they are to be tried. Empty when a name was not found yet.
  const std::vector<Address>& addresses() const { return addresses_; }

  // Whether the host is an address, or a name whose latest look-up has just ended.
  bool is_fresh(Clock::time_point now) const {
    return !is_name_ || (looked_up_at_ && now - *looked_up_at_ < fresh_max);
  }

  // Begins to look the name up, and does not wait for the result. Does nothing when the host is an
  // address, or a result is awaited already.
  void begin_look_up(Resolver& resolver);

  // Takes the result if it is there. A look-up that failed leaves the addresses as they were. True
  // while the result is awaited.
  bool is_looking_up(Clock::time_point now);

  // Why the latest look-up failed, as a sentence; empty when it did not.
  const std::string& complaint() const { return complaint_; }

  // A connection to this address was opened: it is tried first from now on.
  void prefer(const Address& address);

  // A connection to this address was of no use: it is tried last.
  void avoid(const Address& address);

  // Connects within `timeout`, looking the name up first if it was not yet, and waits for the
  // outcome. The addresses are tried as by a Race. Returns a non-blocking socket with TCP_NODELAY.
  // Throws std::system_error.
  Fd connect(std::chrono::milliseconds timeout);

 private:
  void take(FoundAddresses found, Clock::time_point now);

  HostPort target_;
  LookUp look_up_;
  bool is_name_;
  std::vector<Address> addresses_;
  std::future<FoundAddresses> awaited_;
  std::optional<Clock::time_point> looked_up_at_;
  std::string complaint_;
};

// Connects once, as Endpoint::connect() does.
Fd connect_tcp(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout);

}  // namespace rps::net
