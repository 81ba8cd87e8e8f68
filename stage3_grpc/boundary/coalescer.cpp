#include "stage3_grpc/boundary/coalescer.hpp"

#include <atomic>
#include <cerrno>
#include <span>
#include <utility>
#include <vector>

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "stage3_grpc/boundary/socket_calls.hpp"

namespace rps::rpc::boundary {

namespace {

// Bytes that the peer has not acknowledged, from which on a socket is not held for. Then what is
// held fits into the kernel's buffer, of which it uses up to twice the bytes.
constexpr int unacknowledged_max = 32 << 10;

// Buffers that a thread keeps for its next rounds.
constexpr std::size_t spare_buffers_max = 64;

std::atomic<std::uint64_t> next_thread{1};

std::size_t size_of(const msghdr& message) {
  std::size_t size = 0;
  for (const iovec& piece : std::span(message.msg_iov, message.msg_iovlen)) size += piece.iov_len;
  return size;
}

}  // namespace

// What one thread has held since its last call that may have blocked.
class Coalescer::Round {
 public:
  static Round& of_this_thread() {
    thread_local Round round;
    return round;
  }

  Round() = default;
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;
  ~Round() { end(); }

  void set_polling() { is_polling_ = true; }
  bool is_polling() const { return is_polling_; }
  RoundId id() const { return id_; }

  void add(std::shared_ptr<BlockedSocket> socket) { holding_.push_back(std::move(socket)); }

  std::string take_buffer() {
    if (spare_.empty()) return {};
    std::string buffer = std::move(spare_.back());
    spare_.pop_back();
    return buffer;
  }

  void give_back(std::string buffer) {
    buffer.clear();
    if (spare_.size() < spare_buffers_max) spare_.push_back(std::move(buffer));
  }

  void end() {
    const int error = errno;
    for (const auto& socket : holding_) socket->flush();
    holding_.clear();
    ++id_.number;
    errno = error;
  }

 private:
  bool is_polling_ = false;
  RoundId id_{.thread = next_thread.fetch_add(1, std::memory_order_relaxed)};
  std::vector<std::shared_ptr<BlockedSocket>> holding_;
  std::vector<std::string> spare_;
};

ssize_t Coalescer::send(const msghdr& message, int flags) {
  Round& round = Round::of_this_thread();
  const std::size_t size = size_of(message);
  const std::lock_guard lock(mutex_);
  if (failure_ != 0) return fail_with(failure_);
  if (holds_for(round, message, flags, size)) {
    hold(round, message, size);
    return static_cast<ssize_t>(size);
  }
  if (!send_held()) return fail_with(failure_ != 0 ? failure_ : EAGAIN);
  return socket_.send(fd_, message, flags);
}

// Counts the call as one of the round.
bool Coalescer::holds_for(Round& round, const msghdr& message, int flags, std::size_t size) {
  constexpr int plain = MSG_NOSIGNAL | MSG_DONTWAIT;
  if (!round.is_polling() || is_blocked() || (flags & ~plain) != 0 || message.msg_controllen != 0) {
    return false;
  }
  if (turn_.round != round.id()) turn_ = {.round = round.id(), .holds_first = turn_.sends > 1};
  if (++turn_.sends == 1 && !turn_.holds_first && held_.empty()) return false;
  if (turn_.holds == 0 && !has_room_in_kernel()) return false;
  return held_.size() + size <= held_bytes_max;
}

void Coalescer::hold(Round& round, const msghdr& message, std::size_t size) {
  if (held_.empty()) held_ = round.take_buffer();
  if (turn_.holds == 0) round.add(shared_from_this());
  held_.reserve(held_.size() + size);
  for (const iovec& piece : std::span(message.msg_iov, message.msg_iovlen)) {
    held_.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  if (++turn_.holds % held_sends_max == 0) send_held();
}

void Coalescer::flush() {
  const std::lock_guard lock(mutex_);
  if (!is_closed_) send_held();
}

void Coalescer::close() {
  const std::lock_guard lock(mutex_);
  send_held();
  set_blocked(false);
  is_closed_ = true;
}

// False when bytes stay held, or could not be sent.
bool Coalescer::send_held() {
  std::size_t at = 0;
  while (at < held_.size()) {
    iovec piece{.iov_base = held_.data() + at, .iov_len = held_.size() - at};
    const msghdr message{.msg_name = nullptr,
                         .msg_namelen = 0,
                         .msg_iov = &piece,
                         .msg_iovlen = 1,
                         .msg_control = nullptr,
                         .msg_controllen = 0,
                         .msg_flags = 0};
    const ssize_t count = socket_.send(fd_, message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      at += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      held_.erase(0, at);
      set_blocked(true);
      return false;
    } else if (errno != EINTR) {
      failure_ = errno;
      at = held_.size();
    }
  }
  if (!held_.empty()) Round::of_this_thread().give_back(std::exchange(held_, {}));
  set_blocked(false);
  return failure_ == 0;
}

bool Coalescer::has_room_in_kernel() const {
  int unacknowledged = 0;
  return ::ioctl(fd_, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged < unacknowledged_max;
}

void before_blocking() {
  Coalescer::Round::of_this_thread().end();
}

void before_polling() {
  Coalescer::Round& round = Coalescer::Round::of_this_thread();
  round.set_polling();
  round.end();
}

void after_polling() {
  const int error = errno;
  flush_blocked_sockets();
  errno = error;
}

}  // namespace rps::rpc::boundary
