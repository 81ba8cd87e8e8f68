#include "core/fleet/connection.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

namespace rps::fleet {

void Connection::dial(const Address& address, std::uint32_t to_instance, Clock::time_point now,
                      Clock::time_point until) {
  assert(state == State::closed && is_idle());
  state = State::dialling;
  instance = to_instance;
  ++generation;
  error = 0;
  socket = begin_connect(address);
  if (!socket) error = errno;
  dial_until = until;
  owing_since_ = now;
}

bool Connection::finish_dialling() {
  error = connect_outcome(socket);
  if (error != 0) return false;
  state = State::open;
  return true;
}

void Connection::close() {
  socket = net::Fd();
  state = State::closed;
  input.clear();
  waiting.clear();
  owed_.clear();
  sequence_ = 0;
  output_.clear();
  written_ = 0;
  is_blocked = false;
  keeps_seat = false;
}

void Connection::withdraw(std::uint32_t call) {
  const auto found = std::ranges::find(waiting, call);
  assert(found != waiting.end());
  waiting.erase(found);
}

std::uint64_t Connection::encode(net::WireCodec& codec, std::uint32_t call, const Command& command,
                                 Clock::time_point now) {
  if (owed_.empty()) owing_since_ = now;
  codec.encode(++sequence_, command, output_);
  owed_.push({.call = call, .operation = command.operation});
  return sequence_;
}

bool Connection::write_out() {
  while (written_ < output_.size()) {
    const ssize_t count =
        ::send(socket.get(), output_.data() + written_, output_.size() - written_, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == EAGAIN;
    written_ += static_cast<std::size_t>(count);
  }
  output_.clear();
  written_ = 0;
  return true;
}

void Connection::pop_oldest(Clock::time_point now) {
  owed_.pop();
  owing_since_ = now;
}

void Connection::hand_over(std::vector<std::uint32_t>& sent, std::vector<std::uint32_t>& not_sent) {
  while (!owed_.empty()) {
    const Owed owed = owed_.pop();
    if (owed.call != nobody) sent.push_back(owed.call);
  }
  not_sent.insert(not_sent.end(), waiting.begin(), waiting.end());
  waiting.clear();
}

}  // namespace rps::fleet
