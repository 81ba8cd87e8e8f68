#include "stage2_jsonrpc/connection.hpp"

#include <cerrno>
#include <chrono>
#include <span>
#include <utility>

#include <spdlog/logger.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "stage2_jsonrpc/worker.hpp"

namespace rps::jsonrpc {

namespace {

// What a connection may keep of a buffer that is empty, so that messages which come in two pieces
// do not cost an allocation each.
constexpr std::size_t kept_bytes_max = 4096;

void empty(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kept_bytes_max) buffer = std::string();
}

Reply overloaded(const Command& command, std::uint32_t retry_after_ms) {
  return {
      .operation = command.operation, .error = Error::overloaded, .retry_after_ms = retry_after_ms};
}

}  // namespace

Connection::Connection(Worker& worker, net::Fd socket, std::shared_ptr<TokenBucket> bucket,
                       Clock::time_point now)
    : worker_(worker),
      socket_(std::move(socket)),
      bucket_(std::move(bucket)),
      opened_at_(now),
      active_at_(now) {}

void Connection::start() {
  caller_.emplace(worker_.shared().game, weak_from_this());
  waits_for_ = EPOLLIN;
  worker_.watch(socket_, *this, waits_for_);
}

void Connection::on_ready(std::uint32_t events) {
  if (state_ == State::closed) return;
  // The peer has reset the connection, or both sides have said all they had to say.
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return close();
  if ((events & EPOLLOUT) != 0) advance(out_);
  // What is left of the last read comes first: its turn is near.
  if ((events & EPOLLIN) != 0 && !more_ && state_ != State::closed) on_readable();
}

void Connection::on_readable() {
  const std::span<char> room = worker_.read_room();
  const ssize_t size = ::recv(socket_.get(), room.data(), room.size(), 0);
  if (size < 0) {
    if (errno != EAGAIN && errno != EINTR) close();
    return;
  }
  if (size == 0) return state_ == State::open ? end() : close();
  if (state_ != State::open) return;  // Nobody wants these bytes.

  turn_at_ = Clock::now();
  if (!partial_) message_begun_at_ = turn_at_;
  const std::string_view bytes(room.data(), static_cast<std::size_t>(size));
  turn(in_.empty() ? bytes : std::string_view(in_.append(bytes)));
}

void Connection::take_turn() {
  turn_pending_ = false;
  if (state_ != State::open) return;
  turn_at_ = Clock::now();
  turn(in_);
}

// Answers the messages that are here, all with one write. `turn_at_` is the time for all of them.
void Connection::turn(std::string_view bytes) {
  if (!protocol_) {
    protocol_ = make_protocol(bytes.front(), worker_.shared().limits, worker_.responder(), worker_);
  }
  std::string& out = outgoing();
  calls_in_turn_ = 0;
  const Progress progress = protocol_->turn(bytes, *this, out);
  worker_.count_answers(Clock::now() - turn_at_);
  keep(bytes, progress.consumed);
  partial_ = progress.partial;
  more_ = progress.more;
  if (progress.messages > 0) {
    message_seen_ = true;
    active_at_ = turn_at_;
    message_begun_at_ = turn_at_;
  }
  if (progress.end || (is_last_turn_ && !more_)) state_ = State::ending;
  advance(out);
}

// Keeps what is not consumed. `bytes` are either all of `in_` or lie in the worker's buffer.
void Connection::keep(std::string_view bytes, std::size_t consumed) {
  if (in_.empty()) {
    in_.assign(bytes.substr(consumed));
  } else if (consumed < bytes.size()) {
    in_.erase(0, consumed);
  } else {
    empty(in_);
  }
}

// Where the next reply goes: behind what the peer has not taken yet, else into a buffer that all
// connections of the thread share.
std::string& Connection::outgoing() {
  if (!has_unsent()) return worker_.write_room();
  out_.erase(0, std::exchange(sent_, 0));
  return out_;
}

void Connection::take_mail() {
  if (state_ == State::open) advance(outgoing());
}

// Sends what can be sent and decides what to wait for next.
void Connection::advance(std::string& out) {
  if (state_ == State::lingering) return;
  if (state_ == State::open) append_mail(out);
  if (!flush(out)) return close();
  if (state_ == State::ending) {
    if (!has_unsent()) return linger();
    return wait_for(EPOLLOUT);
  }
  // Whoever does not read its replies is not read either.
  const bool was_paused =
      std::exchange(paused_, unsent() > worker_.shared().limits.unsent_bytes_max);
  if (paused_ && !was_paused) worker_.shared().counters.count_read_paused();
  wait_for((paused_ ? 0U : EPOLLIN) | (has_unsent() ? EPOLLOUT : 0U));
  if (more_ && !paused_ && !std::exchange(turn_pending_, true)) worker_.turn_later(*this);
}

// Sends `out`, which is `out_` or the shared buffer; what is left of that is kept in `out_`. False
// when the connection is broken.
bool Connection::flush(std::string& out) {
  const bool is_own = &out == &out_;
  std::size_t sent = is_own ? sent_ : 0;
  const std::size_t sent_before = sent;
  while (sent < out.size()) {
    const std::size_t left = out.size() - sent;
    const ssize_t size = ::send(socket_.get(), out.data() + sent, left, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno != EAGAIN) return false;
    if (size > 0) sent += static_cast<std::size_t>(size);
    if (size < 0 || static_cast<std::size_t>(size) < left) break;
  }
  if (sent == out.size()) {
    if (is_own) empty(out_);
    sent_ = 0;
    return true;
  }
  if (!is_own || sent > sent_before) stalled_at_ = Clock::now();
  if (is_own) {
    sent_ = sent;
  } else {
    out_.assign(out, sent);
  }
  return true;
}

void Connection::wait_for(std::uint32_t events) {
  if (std::exchange(waits_for_, events) != events) worker_.watch_again(socket_, *this, events);
}

void Connection::end() {
  if (state_ != State::open) return;
  is_last_turn_ = true;
  if (more_) return;  // Its turns come first.
  state_ = State::ending;
  advance(outgoing());
}

void Connection::drain() {
  if (state_ == State::open && !more_ && !paused_) on_readable();
  end();
}

// Our last byte is on its way. Closing now could reset the connection while the peer still sends,
// and a reset destroys what the peer has not read yet; so first the peer is heard out.
void Connection::linger() {
  state_ = State::lingering;
  lingering_at_ = Clock::now();
  ::shutdown(socket_.get(), SHUT_WR);
  empty(in_);
  wait_for(EPOLLIN);
}

void Connection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  if (caller_) caller_->disconnect(Clock::now());
  socket_ = net::Fd();
  worker_.forget(*this);
}

void Connection::cut(Cut reason) {
  if (state_ == State::closed) return;
  worker_.shared().counters.count(reason);
  worker_.shared().log.debug("cut a connection: {}", to_string(reason));
  close();
}

void Connection::check(Clock::time_point now) {
  if (state_ == State::lingering) {
    if (now - lingering_at_ > worker_.shared().limits.linger_max) close();
    return;
  }
  if (const auto reason = overdue(now)) cut(*reason);
}

std::optional<Cut> Connection::overdue(Clock::time_point now) const {
  const Limits& limits = worker_.shared().limits;
  if (has_unsent()) {
    if (now - stalled_at_ > limits.write_stall_max) return Cut::write_stall;
  } else if (!message_seen_) {
    if (now - opened_at_ > limits.first_message_max) return Cut::first_frame;
  } else if (partial_) {
    if (now - message_begun_at_ > limits.message_max) return Cut::slow_frame;
  } else if (now - active_at_ > limits.idle_max) {
    return Cut::idle;
  }
  return std::nullopt;
}

void Connection::on_event(const Event& event) {
  const std::scoped_lock lock(mail_mutex_);
  const bool full = mail_.size() >= worker_.shared().limits.events_waiting_max;
  if (!full) mail_.push_back(event);
  if (!full && has_mail_.exchange(true)) return;  // The one who set it has told the worker.
  worker_.post_mail(shared_from_this(), full);
}

void Connection::append_mail(std::string& out) {
  if (!has_mail_.load(std::memory_order_acquire)) return;
  if (unsent() > worker_.shared().limits.unsent_bytes_max) return;
  active_at_ = Clock::now();
  const std::scoped_lock lock(mail_mutex_);
  for (const Event& event : mail_) protocol_->append_event(event, out);
  mail_.clear();
  has_mail_.store(false, std::memory_order_release);
}

Reply Connection::call(const Call& call) {
  ++calls_in_turn_;
  if (const auto refusal = shed(call.command)) {
    worker_.refused(call.command.operation, Error::overloaded);
    return *refusal;
  }
  const Reply reply = worker_.call(call.command, *caller_, turn_at_);
  if (call.trace && call.trace->sampled) worker_.log_traced(call, reply);
  return reply;
}

// Whether the call is refused because there are too many. What a peer may not do is refused first;
// a thread with too much to do still serves everyone one call a turn, as refusing costs it nearly
// as much as serving.
std::optional<Reply> Connection::shed(const Command& command) {
  using std::chrono::milliseconds;
  if (bucket_) {
    const std::chrono::nanoseconds wait = bucket_->take(turn_at_);
    if (wait.count() > 0) {
      worker_.shared().counters.count(Shed::rate);
      const auto wait_ms = std::chrono::ceil<milliseconds>(wait).count();
      return overloaded(command, static_cast<std::uint32_t>(wait_ms));
    }
  }
  if (calls_in_turn_ > 1 && worker_.is_overloaded()) {
    worker_.shared().counters.count(Shed::overload);
    return overloaded(command, rps::limits::retry_after_ms);
  }
  return std::nullopt;
}

void Connection::refused(Error error) {
  worker_.refused(std::nullopt, error);
}

}  // namespace rps::jsonrpc
