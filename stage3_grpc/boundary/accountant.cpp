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

Accountant::Accountant(const Budgets& budgets, std::shared_ptr<CutCounters> cuts)
    : ledger_(budgets, Clock::now()),
      message_limit_(budgets.message_bytes),
      cuts_(std::move(cuts)) {}

ssize_t Accountant::receive(int fd, msghdr& message, int flags) {
  const ssize_t count = receive_from_kernel(fd, message, flags);
  if (count <= 0) return count;
  const Clock::time_point now = Clock::now();
  const bool is_alert = cuts_->is_alert(now);
  std::optional<Breach> breach;
  each_piece(message, static_cast<std::size_t>(count), [&](std::span<std::uint8_t> bytes) {
    if (!breach) breach = ledger_.received(bytes, now, is_alert);
    if (!breach && !message_limit_.apply(bytes)) breach = Breach::unanswered_calls;
  });
  if (!breach) return count;
  cuts_->count(*breach, fd, now);
  ::shutdown(fd, SHUT_RDWR);
  errno = ECONNRESET;
  return -1;
}

ssize_t Accountant::send(int fd, const msghdr& message, int flags) {
  const ssize_t count = send_to_kernel(fd, message, flags);
  if (count <= 0) return count;
  each_piece(message, static_cast<std::size_t>(count),
             [this](std::span<const std::uint8_t> bytes) { ledger_.sent(bytes); });
  return count;
}

}  // namespace rps::rpc::boundary
