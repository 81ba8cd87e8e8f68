#include "stage2_jsonrpc/connection.hpp"

#include <exception>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/logger.h>

#include "stage2_jsonrpc/frame.hpp"
#include "stage2_jsonrpc/reply.hpp"
#include "stage2_jsonrpc/worker.hpp"

namespace rps::jsonrpc {

namespace asio = boost::asio;
using boost::system::error_code;

Connection::Connection(Worker& worker, Socket socket, Clock::time_point now)
    : worker_(worker), socket_(std::move(socket)), opened_at_(now), active_at_(now) {}

void Connection::start() {
  caller_.emplace(worker_.shared().game, weak_from_this());
  read();
}

void Connection::end() {
  if (state_ != State::open) return;
  state_ = State::ending;
  advance();
}

void Connection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  if (caller_) caller_->disconnect(Clock::now());
  error_code ignored;
  (void)socket_.close(ignored);
  worker_.forget(*this);
}

void Connection::cut(Cut reason) {
  if (state_ == State::closed) return;
  worker_.shared().cuts.count(reason);
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
  } else if (!frame_seen_) {
    if (now - opened_at_ > limits.first_frame_max) return Cut::first_frame;
  } else if (!in_.bytes().empty()) {
    if (now - frame_begun_at_ > limits.frame_max) return Cut::slow_frame;
  } else if (now - active_at_ > limits.idle_max) {
    return Cut::idle;
  }
  return std::nullopt;
}

template <class Body>
void Connection::guard(Body&& body) {
  if (state_ == State::closed) return;
  try {
    body();
  } catch (const std::exception& failure) {
    worker_.shared().log.error("a connection failed: {}", failure.what());
    close();
  }
}

void Connection::read() {
  if (reading_) return;
  reading_ = true;
  const std::span<char> room = in_.prepare();
  socket_.async_read_some(asio::buffer(room.data(), room.size()),
                          [self = shared_from_this()](const error_code& error, std::size_t size) {
                            self->reading_ = false;
                            self->guard([&] { self->on_read(error, size); });
                          });
}

void Connection::on_read(const error_code& error, std::size_t size) {
  if (error == asio::error::eof && state_ == State::open) return end();
  if (error) return close();
  if (state_ == State::open) {
    const Clock::time_point now = Clock::now();
    if (in_.bytes().empty()) frame_begun_at_ = now;
    in_.commit(size);
    turn_at_ = now;
    turn();
  } else {
    read();  // Into the same room: nobody wants these bytes.
  }
}

// Answers the frames that are here, all with one write. `turn_at_` is the time for all of them.
void Connection::turn() {
  if (sent_ > 0) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
  const Exchange::Progress progress = worker_.exchange().turn(in_.bytes(), *this, out_);
  in_.consume(progress.consumed);
  if (progress.frames > 0) {
    frame_seen_ = true;
    active_at_ = turn_at_;
    frame_begun_at_ = turn_at_;
  }
  worker_.count_answers(Clock::now() - turn_at_);
  more_ = progress.more;
  if (progress.end) state_ = State::ending;
  advance();
}

// The other connections of this thread come first.
void Connection::turn_later() {
  if (turn_posted_) return;
  turn_posted_ = true;
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->turn_posted_ = false;
    self->guard([&] {
      if (self->state_ != State::open) return;
      self->turn_at_ = Clock::now();
      self->turn();
    });
  });
}

// Sends what can be sent and decides what to wait for next.
void Connection::advance() {
  if (state_ == State::lingering) return;
  if (state_ == State::open) take_mail();
  if (!flush()) return close();
  if (has_unsent()) wait_writable();
  if (state_ == State::ending) {
    if (!has_unsent()) linger();
    return;
  }
  // Whoever does not read its replies is not read either, until wait_writable() comes back here.
  if (out_.size() - sent_ > worker_.shared().limits.unsent_bytes_max) return;
  if (more_) {
    turn_later();
  } else {
    read();
  }
}

// False when the connection is broken.
bool Connection::flush() {
  bool moved = false;
  while (has_unsent()) {
    error_code error;
    const std::size_t size =
        socket_.write_some(asio::buffer(out_.data() + sent_, out_.size() - sent_), error);
    if (error == asio::error::would_block) {
      if (moved || !writing_) stalled_at_ = Clock::now();
      return true;
    }
    if (error) return false;
    sent_ += size;
    moved = true;
  }
  out_.clear();
  sent_ = 0;
  return true;
}

void Connection::wait_writable() {
  if (writing_) return;
  writing_ = true;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const error_code& error) {
    self->writing_ = false;
    self->guard([&] {
      if (error) return self->close();
      self->advance();
    });
  });
}

// Our last byte is on its way. Closing now could reset the connection while the peer still sends,
// and a reset destroys what the peer has not read yet; so first the peer is heard out.
void Connection::linger() {
  state_ = State::lingering;
  lingering_at_ = Clock::now();
  error_code ignored;
  (void)socket_.shutdown(Socket::shutdown_send, ignored);
  in_.consume(in_.bytes().size());
  read();
}

void Connection::on_event(const Event& event) {
  const std::scoped_lock lock(mail_mutex_);
  const bool full = mail_.size() >= worker_.shared().limits.events_waiting_max;
  if (!full) mail_.push_back(event);
  if (!full && has_mail_.exchange(true)) return;  // The one who set it has posted.
  asio::post(socket_.get_executor(), [self = shared_from_this(), full] {
    self->guard([&] {
      if (full) return self->cut(Cut::events);
      self->advance();
    });
  });
}

void Connection::take_mail() {
  if (!has_mail_.load(std::memory_order_acquire)) return;
  if (out_.size() - sent_ > worker_.shared().limits.unsent_bytes_max) return;
  active_at_ = Clock::now();
  const std::scoped_lock lock(mail_mutex_);
  for (const Event& event : mail_) {
    const std::size_t start = begin_frame(FrameType::notification, Codec::json, out_);
    append_event(event, out_);
    end_frame(start, out_);
  }
  mail_.clear();
  has_mail_.store(false, std::memory_order_release);
}

Reply Connection::call(const Command& command) {
  return worker_.call(command, *caller_, turn_at_);
}

void Connection::refused(Error error) {
  worker_.refused(error);
}

}  // namespace rps::jsonrpc
