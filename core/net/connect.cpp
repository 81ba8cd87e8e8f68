#include "core/net/connect.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace rps::net {

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
  if (error != 0) return error;
  sockaddr_storage own{};
  sockaddr_storage peer{};
  socklen_t own_size = sizeof own;
  socklen_t peer_size = sizeof peer;
  if (::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) {
    return errno == ENOTCONN ? EINPROGRESS : errno;
  }
  // A socket may be connected to itself. That happens on one machine: where nobody listens, the
  // kernel may choose the port that is called as the caller's own port, and TCP allows it.
  const bool is_own_echo =
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
      own_size == peer_size && std::memcmp(&own, &peer, own_size) == 0;
  return is_own_echo ? ECONNREFUSED : 0;
}

void Race::add(const Address& address) {
  if (std::ranges::find(addresses_, address) == addresses_.end()) addresses_.push_back(address);
}

std::optional<Race::Winner> Race::advance(Clock::time_point now) {
  for (auto attempt = attempts_.begin(); attempt != attempts_.end();) {
    const int outcome = connect_outcome(attempt->socket);
    if (outcome == EINPROGRESS) {
      ++attempt;
      continue;
    }
    loop_.remove(attempt->entry);
    if (outcome == 0) {
      Winner winner{.socket = std::move(attempt->socket), .address = addresses_[attempt->address]};
      clear();
      return winner;
    }
    error_ = outcome;
    next_at_ = now;
    attempt = attempts_.erase(attempt);
  }
  while (begun_ < addresses_.size() && (attempts_.empty() || next_at_ <= now)) {
    if (begin_next(now)) next_at_ = now + stagger;
  }
  return std::nullopt;
}

// False when the attempt failed at once.
bool Race::begin_next(Clock::time_point now) {
  Attempt& attempt = attempts_.emplace_back(key_);
  attempt.address = begun_++;
  attempt.socket = begin_connect(addresses_[attempt.address]);
  const int socket = attempt.socket.get();
  if (attempt.socket && loop_.add(attempt.entry, socket, socket)) {
    loop_.wait_for_room(attempt.entry, true);
    return true;
  }
  error_ = errno;
  attempts_.pop_back();
  next_at_ = now;
  return false;
}

void Race::clear() {
  for (Attempt& attempt : attempts_) loop_.remove(attempt.entry);
  attempts_.clear();
  addresses_.clear();
  begun_ = 0;
  error_ = 0;
}

}  // namespace rps::net
