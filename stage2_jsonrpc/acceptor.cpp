#include "stage2_jsonrpc/acceptor.hpp"

#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include <poll.h>
#include <spdlog/logger.h>
#include <sys/socket.h>

#include "stage2_jsonrpc/worker.hpp"

namespace rps::jsonrpc {

namespace {

constexpr int accepts_max = 64;

// Without a free descriptor accept() fails also when nobody waits.
bool has_waiting_peer(const net::Fd& listener) {
  pollfd ready{.fd = listener.get(), .events = POLLIN, .revents = 0};
  return ::poll(&ready, 1, 0) > 0;
}

}  // namespace

Acceptor::Acceptor(Shared& shared, net::Epoll& epoll, std::uint64_t tag,
                   std::vector<net::Fd> listeners, Worker& owner, std::vector<Worker*> workers)
    : shared_(shared),
      epoll_(epoll),
      tag_(tag),
      listeners_(std::move(listeners)),
      owner_(owner),
      workers_(std::move(workers)) {
  for (const net::Fd& listener : listeners_) {
    if (epoll_.add(listener.get(), EPOLLIN, tag_)) continue;
    throw std::system_error(errno, std::system_category(), "epoll_ctl");
  }
}

void Acceptor::accept_waiting() {
  for (const net::Fd& listener : listeners_) {
    for (int i = 0; i < accepts_max && accept_one(listener); ++i) {
    }
  }
}

// At each socket at most as many as net::listen_on() lets wait: peers that keep connecting do not
// delay the end.
void Acceptor::accept_all_waiting() {
  for (const net::Fd& listener : listeners_) {
    for (int i = 0; i < SOMAXCONN && accept_one(listener); ++i) {
    }
  }
}

// False when nobody waits, or nobody can be accepted.
bool Acceptor::accept_one(const net::Fd& listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  net::Fd socket(::accept4(listener.get(), reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket) {
    try {
      distribute(std::move(socket), address);
    } catch (const std::bad_alloc& failure) {
      owner_.lose_newcomer(failure);
    }
    return true;
  }
  const int error = errno;
  if (error == ECONNABORTED || error == EINTR) return true;
  if (error == EAGAIN || !has_waiting_peer(listener)) return false;
  return accept_without_means(listener, error);
}

// True when accept_one() is to be called again: it has room now, or the peer is turned away.
bool Acceptor::accept_without_means(const net::Fd& listener, int error) {
  if (!std::exchange(is_failing_, true)) {
    shared_.log.warn("cannot accept: {}", std::system_category().message(error));
  }
  failed_since_retry_ = true;
  const bool lacks_descriptors = error == EMFILE || error == ENFILE;
  return (lacks_descriptors && owner_.make_room()) || turn_away(listener);
}

bool Acceptor::turn_away(const net::Fd& listener) {
  const bool is_rejected = reserve_.turn_away(listener);
  if (is_rejected) {
    shared_.metrics.connection_refused(server::Refusal::resources);
  } else {
    epoll_.modify(listener.get(), 0, tag_);
  }
  return is_rejected;
}

void Acceptor::retry() {
  if (!is_failing_) return;
  for (const net::Fd& listener : listeners_) epoll_.modify(listener.get(), EPOLLIN, tag_);
  is_failing_ = std::exchange(failed_since_retry_, false);
}

void Acceptor::distribute(net::Fd socket, const sockaddr_storage& address) {
  Newcomer newcomer{.socket = std::move(socket), .bucket = shared_.peers.bucket_of(address)};
  newcomer.place = shared_.take_place();
  if (!newcomer.place) return owner_.admit(std::move(newcomer));
  // Without descriptors it is the owner that has made room, and that fills the place again.
  Worker& worker = is_failing_ ? owner_ : *workers_[next_worker_++ % workers_.size()];
  if (&worker == &owner_) return worker.adopt(std::move(newcomer));
  worker.post(
      [&worker, newcomer = std::move(newcomer)]() mutable { worker.adopt(std::move(newcomer)); });
}

}  // namespace rps::jsonrpc
