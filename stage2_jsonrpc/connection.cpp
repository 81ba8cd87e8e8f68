#include "stage2_jsonrpc/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <span>
#include <utility>

#include <spdlog/logger.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "stage2_jsonrpc/worker.hpp"

namespace rps::jsonrpc {

namespace {

// The capacity that a buffer may keep when it is empty, so that messages which arrive in two pieces
// do not cost an allocation each.
constexpr std::size_t kept_bytes_max = 4096;

void empty(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kept_bytes_max) buffer = std::string();
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
  // The peer has reset the connection, or both directions are shut down.
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return close();
  if ((events & EPOLLOUT) != 0) send(unsent_);
  // What the last read brought comes first: resume() is about to be called.
  if ((events & EPOLLIN) != 0 && !has_more_ && state_ != State::closed) read();
}

void Connection::read() {
  const std::span<char> buffer = worker_.read_buffer();
  const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (size < 0 && errno == EINTR) return;
  if (size < 0 && errno == EAGAIN) return on_socket_empty();
  if (size < 0) return close();
  if (size == 0) return state_ == State::open ? end() : close();
  if (state_ != State::open) return discard();
  const std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
  message_bytes_ += bytes.size();
  serve(received_.empty() ? bytes : std::string_view(received_.append(bytes)));
}

// When the connection drains, all that has arrived is answered now. But the rest of a message that
// has begun may be on its way: epoll reports it, or check() ends the wait.
void Connection::on_socket_empty() {
  if (is_draining_ && !is_partial_) end();
}

// These bytes came when the connection had ended, and are not served any more. Behind the end of
// a drain they may be calls; behind another end they are the rest of what was refused.
void Connection::discard() {
  if (is_draining_ && !std::exchange(is_reported_, true)) worker_.count_late();
}

void Connection::resume() {
  is_resume_pending_ = false;
  if (state_ != State::open) return;
  if (has_more_) return serve(received_);
  if (is_draining_ && !is_paused_) read();
}

// One turn: has the messages in `bytes` answered, and sends all replies with one write.
void Connection::serve(std::string_view bytes) {
  const Clock::time_point now = Clock::now();
  served_at_ = now;
  if (!is_partial_) message_begun_at_ = now;
  Dispatcher& dispatcher = worker_.dispatcher();
  if (!protocol_) protocol_ = make_protocol(bytes.front(), dispatcher.limits());
  std::string& out = output();
  is_last_turn_ |= is_draining_ && now >= worker_.reads_until();
  const bool is_last = is_last_turn_ || (is_draining_ && !has_unread());
  dispatcher.begin_turn(
      {.caller = *caller_, .bucket = bucket_.get(), .now = now, .is_last = is_last});
  const Progress progress = protocol_->take_messages(bytes, dispatcher, out);
  dispatcher.end_turn();
  keep(bytes, progress.consumed);
  is_partial_ = progress.partial;
  has_more_ = progress.more;
  if (progress.messages > 0) {
    if (!std::exchange(has_had_message_, true)) worker_.note_first_message(*this);
    active_at_ = now;
    message_begun_at_ = now;
    message_bytes_ = received_.size();
  }
  if (progress.end && !is_last) is_draining_ = false;  // Nothing behind this is to be answered.
  const bool waits_for_rest = is_partial_ && !is_last_turn_;
  const bool is_served = is_last && !has_more_ && !waits_for_rest;
  if (is_served && is_draining_ && has_unserved()) report_unanswered();
  if (is_served || progress.end) state_ = State::ending;
  send(out);
}

// Keeps the bytes that were not consumed. `bytes` are all of `received_`, or lie in the worker's
// buffer.
void Connection::keep(std::string_view bytes, std::size_t consumed) {
  if (received_.empty()) {
    received_.assign(bytes.substr(consumed));
  } else if (consumed < bytes.size()) {
    received_.erase(0, consumed);
  } else {
    empty(received_);
  }
}

// Where the next reply is written: behind what the peer has not taken yet, else into the worker's
// buffer.
std::string& Connection::output() {
  if (!has_unsent()) return worker_.write_buffer();
  unsent_.erase(0, std::exchange(sent_, 0));
  return unsent_;
}

void Connection::send_events() {
  if (state_ == State::open) send(output());
}

// Sends what the socket takes, and decides what to wait for next.
void Connection::send(std::string& out) {
  if (state_ == State::lingering) return;
  if (state_ == State::open) encode_events(out);
  if (!write(out)) return close();
  if (state_ == State::ending) {
    if (!has_unsent()) return linger();
    return wait_for(EPOLLOUT);
  }
  // While a peer does not read its replies, the server does not read its requests.
  const bool was_paused = std::exchange(is_paused_, has_too_much_unsent());
  if (is_paused_ && !was_paused) worker_.shared().counters.count_read_paused();
  wait_for((is_paused_ ? 0U : EPOLLIN) | (has_unsent() ? EPOLLOUT : 0U));
  const bool has_more_to_do = has_more_ || is_draining_;
  if (has_more_to_do && !is_paused_ && !std::exchange(is_resume_pending_, true)) {
    worker_.resume_later(*this);
  }
}

// Writes `out`, which is `unsent_` or the worker's buffer, to the socket. What the socket does not
// take is kept in `unsent_`. False when the connection is broken.
bool Connection::write(std::string& out) {
  const bool is_own = &out == &unsent_;
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
    if (is_own) empty(unsent_);
    sent_ = 0;
    return true;
  }
  if (!is_own || sent > sent_before) stalled_at_ = Clock::now();
  if (is_own) {
    sent_ = sent;
  } else {
    unsent_.assign(out, sent);
  }
  return true;
}

// Bytes that have arrived and were not read, whether or not there are any that will be.
bool Connection::has_unread() const {
  int bytes = 0;
  return ::ioctl(socket_.get(), FIONREAD, &bytes) == 0 && bytes > 0;
}

bool Connection::has_unserved() const {
  return has_more_ || is_partial_ || has_unread();
}

void Connection::report_unanswered() {
  if (!std::exchange(is_reported_, true)) worker_.count_unanswered();
}

bool Connection::has_too_much_unsent() const {
  return unsent_.size() - sent_ > worker_.shared().limits.unsent_bytes_max;
}

void Connection::wait_for(std::uint32_t events) {
  if (std::exchange(waits_for_, events) != events) worker_.watch_again(socket_, *this, events);
}

void Connection::end() {
  if (state_ != State::open) return;
  is_last_turn_ = true;
  if (has_more_) return;  // resume() will end the connection.
  if (is_draining_ && is_partial_) report_unanswered();
  state_ = State::ending;
  send(output());
}

void Connection::drain() {
  if (state_ != State::open) return;
  is_draining_ = true;
  if (!is_paused_ && !std::exchange(is_resume_pending_, true)) worker_.resume_later(*this);
}

// The last byte is sent. Closing the socket now could make the kernel reset the connection while
// the peer still sends, and a reset destroys replies that the peer has not read yet. So first
// everything that the peer still sends is read.
void Connection::linger() {
  state_ = State::lingering;
  lingering_at_ = Clock::now();
  ::shutdown(socket_.get(), SHUT_WR);
  empty(received_);
  wait_for(EPOLLIN);
}

void Connection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  if (caller_) caller_->disconnect(Clock::now());
  socket_ = net::Fd();
  worker_.remove(*this);
}

void Connection::cut(Cut reason) {
  if (state_ == State::closed) return;
  count_cut(reason);
  is_draining_ ? cut_off() : close();
}

void Connection::count_cut(Cut reason) {
  worker_.shared().counters.count(reason);
  worker_.shared().log.debug("cut a connection: {}", to_string(reason));
}

void Connection::cut_off() {
  const bool is_answered = state_ == State::lingering || !(has_unserved() || has_unsent());
  if (!is_answered) report_unanswered();
  close();
}

void Connection::check(Clock::time_point now) {
  if (has_lost_event_) throw std::bad_alloc();
  if (state_ == State::lingering) {
    if (now - lingering_at_ > worker_.shared().limits.linger_max) close();
    return;
  }
  if (const auto reason = overdue(now)) return end_overdue(*reason);
  const bool waits_for_rest = is_draining_ && is_partial_ && !is_last_turn_;
  if (waits_for_rest && now - served_at_ > worker_.shared().limits.linger_max) end();
}

// Tells the peer why, where its protocol has a word for that.
void Connection::end_overdue(Cut reason) {
  std::string told;
  if (protocol_ && !has_unsent()) protocol_->encode_timeout(worker_.dispatcher(), told);
  if (told.empty() || state_ != State::open) return cut(reason);
  count_cut(reason);
  state_ = State::ending;
  send(told);
}

std::optional<Cut> Connection::overdue(Clock::time_point now) const {
  const Limits& limits = worker_.shared().limits;
  const std::chrono::seconds extra = time_for_bytes();
  if (has_unsent()) {
    if (now - stalled_at_ > limits.write_stall_max) return Cut::write_stall;
  } else if (!has_had_message_) {
    if (now - opened_at_ > limits.first_message_max + extra) return Cut::first_frame;
  } else if (is_partial_) {
    if (now - message_begun_at_ > limits.message_max + extra) return Cut::slow_frame;
  } else if (now - active_at_ > limits.idle_max) {
    return Cut::idle;
  }
  return std::nullopt;
}

// What the bytes of the message that is partial add to the time that it may take.
std::chrono::seconds Connection::time_for_bytes() const {
  const Limits& limits = worker_.shared().limits;
  const std::size_t bytes =
      std::min(message_bytes_, std::max(limits.line_bytes_max, limits.body_bytes_max));
  return std::chrono::seconds(bytes / limits::message_bytes_per_second_min);
}

std::optional<Clock::time_point> Connection::idle_since(Clock::time_point now) const {
  if (state_ == State::lingering) return lingering_at_;
  const bool has_to_do = is_draining_ || has_more_ || has_events_.load(std::memory_order_relaxed);
  if (has_to_do || caller_->has_seat()) return std::nullopt;
  const Clock::time_point since = moved_at();
  const bool has_said_something = has_had_message_ || is_partial_ || has_unsent();
  if (has_said_something && now - since <= worker_.shared().limits.in_use_max) return std::nullopt;
  if (!has_unsent() && has_unread()) return std::nullopt;
  return since;
}

// When something last moved. A message that has begun moves while its bytes come, and come fast
// enough.
Clock::time_point Connection::moved_at() const {
  if (has_unsent()) return stalled_at_;
  if (is_partial_) return std::min(served_at_, message_begun_at_ + time_for_bytes());
  return has_had_message_ ? active_at_ : opened_at_;
}

void Connection::on_event(const Event& event) {
  try {
    queue(event);
  } catch (const std::bad_alloc&) {
    has_lost_event_ = true;
  }
}

void Connection::queue(const Event& event) {
  const std::scoped_lock lock(events_mutex_);
  if (events_.size() >= worker_.shared().limits.events_waiting_max) {
    return worker_.post(shared_from_this(), &Connection::cut_for_events);
  }
  events_.push_back(event);
  // If the flag was set already, the thread that set it has asked the worker.
  if (!has_events_.exchange(true)) worker_.post(shared_from_this(), &Connection::send_events);
}

void Connection::encode_events(std::string& out) {
  if (!has_events_.load(std::memory_order_acquire)) return;
  if (has_too_much_unsent()) return;
  active_at_ = Clock::now();
  const std::scoped_lock lock(events_mutex_);
  for (const Event& event : events_) protocol_->encode_event(event, out);
  events_.clear();
  has_events_.store(false, std::memory_order_release);
}

}  // namespace rps::jsonrpc
