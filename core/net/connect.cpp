#include "core/net/connect.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "core/net/epoll.hpp"

namespace rps::net {

namespace {

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};
using AddressList = std::unique_ptr<addrinfo, FreeAddresses>;

// All addresses of the target, with getaddrinfo's `flags`; or its error code.
std::expected<AddressList, int> look_up(const HostPort& target, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(target.port);
  const int failure = ::getaddrinfo(target.host.c_str(), port.c_str(), &hints, &found);
  if (failure != 0) return std::unexpected(failure);
  return AddressList(found);
}

// Whether the socket is connected to itself. That happens on one machine: where nobody listens, the
// kernel may choose the port that is called as the caller's own port, and TCP allows it.
bool is_own_echo(const Fd& socket) {
  sockaddr_storage own{};
  sockaddr_storage peer{};
  socklen_t own_size = sizeof own;
  socklen_t peer_size = sizeof peer;
  return ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
         ::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0 &&
         own_size == peer_size && std::memcmp(&own, &peer, own_size) == 0;
}

// The resolver's order, but families in turns, beginning with the first one's: where one family
// leads nowhere, the other is not tried last.
void take_families_in_turns(std::vector<Address>& addresses) {
  const auto is_of_first = [family = addresses.front().storage.ss_family](const Address& address) {
    return address.storage.ss_family == family;
  };
  for (std::size_t i = 1; i < addresses.size(); ++i) {
    const bool wants_first = i % 2 == 0;
    const auto from = addresses.begin() + static_cast<std::ptrdiff_t>(i);
    const auto found = std::find_if(from, addresses.end(), [&](const Address& address) {
      return is_of_first(address) == wants_first;
    });
    if (found == addresses.end()) return;
    std::rotate(from, found, found + 1);
  }
}

std::vector<Address> addresses_of(const HostPort& target) {
  const auto found = look_up(target, 0);
  if (!found) {
    throw std::system_error(std::make_error_code(std::errc::host_unreachable),
                            "cannot resolve " + target.host + " port " +
                                std::to_string(target.port) + " (" + ::gai_strerror(found.error()) +
                                ")");
  }
  std::vector<Address> addresses;
  for (const addrinfo* at = found->get(); at != nullptr; at = at->ai_next) {
    addresses.push_back(to_address(*at));
  }
  take_families_in_turns(addresses);
  return addresses;
}

// Attempts at several addresses, of which the first that is connected wins.
class Race {
 public:
  Race(std::span<const Address> addresses, Clock::time_point deadline)
      : addresses_(addresses), deadline_(deadline) {}

  struct Winner {
    Fd socket;
    std::size_t address = 0;
  };

  // The error is the errno of the last failure.
  std::expected<Winner, int> run() {
    for (;;) {
      begin_due();
      if (attempts_.empty()) return std::unexpected(error_);
      if (Clock::now() >= deadline_) return std::unexpected(ETIMEDOUT);
      if (!wait()) return std::unexpected(errno);
      for (std::size_t i = 0; i < attempts_.size(); ++i) {
        if (polled_[i].revents == 0) continue;
        const int error = connect_outcome(attempts_[i].socket);
        if (error == 0) return std::move(attempts_[i]);
        fail(i, error);
        break;  // The others are looked at in the next turn.
      }
    }
  }

 private:
  // Begins the attempts whose time has come, and one in any case when none is left.
  void begin_due() {
    while (begun_ < addresses_.size() && (attempts_.empty() || Clock::now() >= next_at_)) {
      const std::size_t address = begun_++;
      Fd socket = begin_connect(addresses_[address]);
      if (!socket) {
        error_ = errno;
        continue;
      }
      attempts_.push_back({.socket = std::move(socket), .address = address});
      next_at_ = Clock::now() + Endpoint::stagger;
    }
  }

  // Waits until an attempt has an outcome, or the next one is due. False, and errno, when the
  // system cannot wait.
  bool wait() {
    polled_.clear();
    for (const Winner& attempt : attempts_) {
      polled_.push_back({.fd = attempt.socket.get(), .events = POLLOUT, .revents = 0});
    }
    const bool has_more = begun_ < addresses_.size();
    const timespec timeout = time_left(has_more ? std::min(deadline_, next_at_) : deadline_);
    return ::ppoll(polled_.data(), polled_.size(), &timeout, nullptr) >= 0 || errno == EINTR;
  }

  void fail(std::size_t attempt, int error) {
    error_ = error;
    attempts_.erase(attempts_.begin() + static_cast<std::ptrdiff_t>(attempt));
    next_at_ = Clock::now();
  }

  std::span<const Address> addresses_;
  Clock::time_point deadline_;
  std::size_t begun_ = 0;      // Of the addresses.
  Clock::time_point next_at_;  // When the next attempt begins beside those that are open.
  std::vector<Winner> attempts_;
  std::vector<pollfd> polled_;  // The same places.
  int error_ = EADDRNOTAVAIL;
};

}  // namespace

Address to_address(const addrinfo& info) {
  Address address;
  assert(info.ai_addrlen <= sizeof address.storage);
  std::memcpy(&address.storage, info.ai_addr, info.ai_addrlen);
  address.size = info.ai_addrlen;
  return address;
}

std::expected<Address, std::string> parse_address(const HostPort& target) {
  const auto addresses = look_up(target, AI_NUMERICHOST);
  if (!addresses) return std::unexpected("'" + target.host + "' is no IP address");
  return to_address(**addresses);
}

Fd begin_connect(const Address& address) {
  Fd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return {};
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto* const target = reinterpret_cast<const sockaddr*>(&address.storage);
  if (::connect(socket.get(), target, address.size) == 0) return socket;
  if (errno == EINPROGRESS || errno == EINTR) return socket;
  return {};  // Closing it leaves errno as it is.
}

int connect_outcome(const Fd& socket) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error == 0 && is_own_echo(socket) ? ECONNREFUSED : error;
}

Endpoint::Endpoint(const HostPort& target)
    : Endpoint(target.host + " port " + std::to_string(target.port), addresses_of(target)) {}

Endpoint::Endpoint(std::string name, std::vector<Address> addresses)
    : name_(std::move(name)), addresses_(std::move(addresses)) {
  assert(!addresses_.empty());
}

Fd Endpoint::connect(std::chrono::milliseconds timeout) {
  Race race(addresses_, Clock::now() + timeout);
  auto winner = race.run();
  if (!winner) {
    throw std::system_error(winner.error(), std::system_category(), "cannot connect to " + name_);
  }
  current_ = winner->address;
  return std::move(winner->socket);
}

Fd connect_tcp(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout) {
  return Endpoint({.host = host, .port = port}).connect(timeout);
}

}  // namespace rps::net
