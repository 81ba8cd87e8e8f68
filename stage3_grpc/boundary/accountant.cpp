#include "stage3_grpc/boundary/accountant.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace rps::rpc::boundary {

namespace {

// GOAWAY: the streams that are carried out end with 2^31 - 1, and there was no error. PING: eight
// bytes of any value.
constexpr std::array<std::uint8_t, 34> goodbye_frames{
    0, 0, 8, Frame::goaway, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0,   0,   0,   0,
    0, 0, 8, Frame::ping,   0, 0, 0, 0, 0, 'f',  'a',  'r',  'e',  'w', 'e', 'l', 'l'};

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
      message_limit_(budgets.message_bytes, budgets.unfinished_messages) {
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
  return is_cut() ? fail_with(ECONNRESET) : count;
}

ssize_t Accountant::send(int fd, const msghdr& message, int flags) {
  const std::scoped_lock lock(sending_);
  if (!send_goodbye()) return -1;
  const ssize_t count = socket_->send(fd, message, flags);
  if (count <= 0) return count;
  each_piece(message, static_cast<std::size_t>(count), [this](std::span<const std::uint8_t> bytes) {
    if (ledger_.sent(bytes)) ledger_.note_served(Clock::now());
  });
  return count;
}

void Accountant::cut(Breach breach) {
  if (is_cut_.exchange(true)) return;
  connections_->cuts().count(breach, fd_);
  ::shutdown(fd_, SHUT_RDWR);
}

void Accountant::close() {
  if (!is_cut_.exchange(true)) ::shutdown(fd_, SHUT_RDWR);
}

void Accountant::say_goodbye() {
  const std::scoped_lock lock(sending_);
  if (goodbye_ping_ != 0) return;
  if (goodbye_.empty()) goodbye_ = goodbye_frames;
  send_goodbye();
}

bool Accountant::has_heard_goodbye() const {
  const std::uint32_t number = goodbye_ping_.load(std::memory_order_relaxed);
  return number != 0 && ledger_.pings_acknowledged() >= number;
}

// REQUIRES: sending_ is held. False, with the errno of sendmsg(2), when a part of the goodbye has
// to be sent before anything else can be.
bool Accountant::send_goodbye() {
  if (goodbye_.empty() || (!is_goodbye_begun_ && !ledger_.may_begin_frame())) return true;
  while (!goodbye_.empty()) {
    iovec piece{.iov_base = const_cast<std::uint8_t*>(goodbye_.data()), .iov_len = goodbye_.size()};
    const msghdr message{.msg_iov = &piece, .msg_iovlen = 1};
    const ssize_t count = socket_->send(fd_, message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count <= 0) return false;
    is_goodbye_begun_ = true;
    ledger_.sent(goodbye_.first(static_cast<std::size_t>(count)));
    goodbye_ = goodbye_.subspan(static_cast<std::size_t>(count));
  }
  goodbye_ping_.store(ledger_.pings_sent(), std::memory_order_relaxed);
  return true;
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
