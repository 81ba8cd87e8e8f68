#include "stage3_grpc/boundary/accountant.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace rps::rpc::boundary {

namespace {

// Calls `use` with the first `count` bytes of a message's buffers, piece by piece.
template <class Use>
void each_piece(const msghdr& message, std::size_t count, Use use) {
  for (const iovec& piece : std::span(message.msg_iov, message.msg_iovlen)) {
    if (count == 0) return;
    const std::size_t length = std::min(piece.iov_len, count);
    use(std::span(static_cast<std::uint8_t*>(piece.iov_base), length));
    count -= length;
  }
}

}  // namespace

Accountant::Accountant(int fd, const Budgets& budgets, std::shared_ptr<OpenConnections> connections,
                       std::unique_ptr<SocketFilter> socket)
    : socket_(std::move(socket)),
      fd_(fd),
      opened_at_(Clock::now()),
      connections_(std::move(connections)),
      ledger_(budgets, connections_->calls(), opened_at_),
      message_limit_(budgets.message_bytes) {
  connections_->add(*this);
}

Accountant::~Accountant() {
  connections_->remove(*this);
}

ssize_t Accountant::receive(int fd, msghdr& message, int flags) {
  const ssize_t count = socket_->receive(fd, message, flags);
  if (count <= 0) return count;
  const Clock::time_point now = Clock::now();
  if (const auto breach = charge(message, count, now)) cut(*breach);
  if (connections_->calls()->is_full()) connections_->close_longest_waiting(now);
  if (!is_cut()) return count;
  errno = ECONNRESET;
  return -1;
}

ssize_t Accountant::send(int fd, const msghdr& message, int flags) {
  const ssize_t count = socket_->send(fd, message, flags);
  if (count <= 0) return count;
  each_piece(message, static_cast<std::size_t>(count),
             [this](std::span<const std::uint8_t> bytes) { ledger_.sent(bytes); });
  return count;
}

void Accountant::cut(Breach breach) {
  if (is_cut_.exchange(true)) return;
  connections_->cuts().count(breach, fd_);
  ::shutdown(fd_, SHUT_RDWR);
}

std::optional<Breach> Accountant::charge(const msghdr& message, ssize_t count,
                                         Clock::time_point now) {
  std::optional<Breach> breach;
  each_piece(message, static_cast<std::size_t>(count), [&](std::span<std::uint8_t> bytes) {
    if (!breach) breach = ledger_.received(bytes, now);
    if (!breach && !message_limit_.apply(bytes)) breach = Breach::unanswered_calls;
  });
  return breach;
}

}  // namespace rps::rpc::boundary
