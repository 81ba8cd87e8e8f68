#include "stage3_grpc/rest/connection.hpp"

#include <cerrno>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "core/net/address.hpp"

namespace rps::rpc::rest {

namespace {

using net::HttpStatus;
using Outcome = net::HttpReader::Outcome;

// As gRPC spells it, which the chain expects.
std::string peer_of(const net::Fd& socket) {
  const std::string text = net::peer_text(socket.get());
  if (!text.starts_with('[')) return "ipv4:" + text;
  const std::size_t end = text.find(']');
  return "ipv6:%5B" + text.substr(1, end - 1) + "%5D" + text.substr(end + 1);
}

}  // namespace

Connection::Connection(Shared& shared, net::Fd socket, std::uint64_t key, Clock::time_point now)
    : shared_(shared),
      socket_(std::move(socket)),
      key_(key),
      peer_(peer_of(socket_)),
      reader_({.header_bytes_max = shared.settings.header_bytes_max,
               .body_bytes_max = shared.settings.body_bytes_max}),
      answered_at_(now) {}

Connection::~Connection() {
  if (watch_) shared_.service.watch_ended();
}

bool Connection::start() {
  waits_for_ = EPOLLIN;
  return shared_.epoll.add(socket_.get(), waits_for_, key_);
}

bool Connection::is_busy() const {
  return reader_.has_begun() || !out_.empty() || is_watching();
}

bool Connection::on_ready(std::uint32_t events, Clock::time_point now) {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return false;
  if (state_ == State::lingering) return linger(now);
  if ((events & EPOLLOUT) != 0 && !send(now)) return false;
  if ((events & EPOLLIN) != 0 && !receive(now)) return false;
  return advance(now);
}

bool Connection::on_feed(Clock::time_point now) {
  show_waiting(now);
  return advance(now);
}

bool Connection::drain(Clock::time_point now) {
  if (watch_) {
    std::string text;
    watch_->append_end(Error::unavailable, text);
    append_piece(text);
    finish_watch(now);
  } else if (state_ == State::serving && out_.empty() && !receive(now)) {
    return false;  // What has arrived belongs to a request that is still answered.
  }
  return advance(now);
}

// ---- Receiving -------------------------------------------------------------------------------

bool Connection::receive(Clock::time_point now) {
  const ssize_t size = ::recv(socket_.get(), shared_.buffer.data(), shared_.buffer.size(), 0);
  if (size < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  if (size == 0) {
    has_peer_ended_ = true;
    return !watch_;  // A spectator who has gone.
  }
  return take({shared_.buffer.data(), static_cast<std::size_t>(size)}, now);
}

// Bytes that cannot be taken now stay in in_. False when there are too many.
bool Connection::take(std::string_view bytes, Clock::time_point now) {
  if (in_.empty()) {
    bytes.remove_prefix(answer_requests(bytes, now));
    in_.assign(bytes);
  } else {
    in_.append(bytes);
    in_.erase(0, answer_requests(in_, now));
  }
  return !watch_ || in_.size() <= shared_.settings.header_bytes_max;
}

// Answers whole requests at the front, and returns the bytes that are done with.
std::size_t Connection::answer_requests(std::string_view bytes, Clock::time_point now) {
  std::size_t done = 0;
  bool goes_on = true;
  while (goes_on && state_ == State::serving && !watch_ &&
         out_.size() - sent_ <= limits::unsent_bytes_max) {
    std::size_t consumed = 0;
    goes_on = answer_next(bytes.substr(done), consumed, now);
    done += consumed;
  }
  return done;
}

// False when more bytes are needed.
bool Connection::answer_next(std::string_view bytes, std::size_t& consumed, Clock::time_point now) {
  Outcome outcome = reader_.read(bytes, consumed);
  if (outcome == Outcome::asks) {
    if (const auto page = shared_.service.refuse_header(reader_)) {
      end_with(*page);
      return true;
    }
    const std::string_view body = bytes.substr(consumed);
    if (body.empty()) net::append_continue(out_);
    std::size_t more = 0;
    outcome = reader_.read(body, more);
    consumed += more;
  }
  if (outcome == Outcome::refused) {
    end_with(Service::refusal_page(reader_.refusal(), reader_));
    return true;
  }
  if (outcome == Outcome::need_more) {
    if (reader_.has_begun() && !begun_at_) begun_at_ = now;
    return false;
  }
  answer_request(now);
  return true;
}

void Connection::answer_request(Clock::time_point now) {
  begun_at_.reset();
  answered_at_ = now;
  ++shared_.answered;
  net::HttpForm form = reader_.form();
  form.keep_open = form.keep_open && !shared_.drains;
  Service::Answer answer =
      shared_.service.answer(reader_, {.address = peer_, .owner = shared_.owner, .key = key_});
  if (answer.is_stream) {
    net::append_stream_head(form, answer.page, shared_.date.now(), out_);
  } else {
    net::append_http(form, answer.page, shared_.date.now(), out_);
  }
  if (answer.watch) {
    watch_ = std::move(answer.watch);
    stream_form_ = form;
    return show_waiting(now);
  }
  if (!form.keep_open || (answer.is_stream && form.version == 10)) state_ = State::ending;
  reader_.reset();
}

void Connection::end_with(const net::HttpPage& page) {
  net::HttpForm form = reader_.form();
  form.keep_open = false;
  net::append_http(form, page, shared_.date.now(), out_);
  ++shared_.answered;
  begun_at_.reset();
  state_ = State::ending;
}

// ---- Watching --------------------------------------------------------------------------------

void Connection::append_piece(std::string_view text) {
  if (!text.empty()) net::append_piece(stream_form_, text, out_);
}

// While the client does not read, observations wait in the feed, where they are counted.
void Connection::show_waiting(Clock::time_point now) {
  if (!watch_ || out_.size() - sent_ > limits::unsent_bytes_max) return;
  std::string text;
  const bool goes_on = watch_->append_waiting(text);
  append_piece(text);
  shown_at_ = now;
  if (!goes_on) finish_watch(now);
}

void Connection::finish_watch(Clock::time_point now) {
  net::append_piece(stream_form_, {}, out_);
  watch_.reset();
  shared_.service.watch_ended();
  answered_at_ = now;
  if (!stream_form_.keep_open || stream_form_.version == 10 || shared_.drains) {
    state_ = State::ending;
  }
  reader_.reset();
}

// ---- Sending ---------------------------------------------------------------------------------

bool Connection::send(Clock::time_point now) {
  while (sent_ < out_.size()) {
    const ssize_t size =
        ::send(socket_.get(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (size > 0) {
      sent_ += static_cast<std::size_t>(size);
      blocked_at_.reset();
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!blocked_at_) blocked_at_ = now;
      return true;
    } else if (errno != EINTR) {
      return false;
    }
  }
  out_.clear();
  sent_ = 0;
  return true;
}

// Sends what there is, answers what had to wait for that, and decides what to wait for.
bool Connection::advance(Clock::time_point now) {
  for (;;) {
    if (!send(now)) return false;
    if (!out_.empty()) break;
    if (watch_) {
      show_waiting(now);
    } else if (state_ == State::serving && !in_.empty()) {
      in_.erase(0, answer_requests(in_, now));
    }
    if (out_.empty()) break;
  }
  if (!out_.empty()) {
    wait_for(watch_ ? EPOLLIN | EPOLLOUT : EPOLLOUT);
    return true;
  }
  if (state_ == State::serving && shared_.drains && !is_busy()) state_ = State::ending;
  if (has_peer_ended_) return false;
  if (state_ != State::ending) {
    wait_for(EPOLLIN);
    return true;
  }
  ::shutdown(socket_.get(), SHUT_WR);
  state_ = State::lingering;
  lingers_until_ = now + limits::linger_max;
  wait_for(EPOLLIN);
  return true;
}

bool Connection::linger(Clock::time_point) {
  const ssize_t size = ::recv(socket_.get(), shared_.buffer.data(), shared_.buffer.size(), 0);
  if (size < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  lingered_ += static_cast<std::size_t>(size);
  return size > 0 && lingered_ <= limits::linger_bytes_max;
}

void Connection::wait_for(std::uint32_t events) {
  if (events == waits_for_) return;
  waits_for_ = events;
  shared_.epoll.modify(socket_.get(), events, key_);
}

// ---- Time ------------------------------------------------------------------------------------

bool Connection::check(Clock::time_point now) {
  const Settings& settings = shared_.settings;
  if (state_ == State::lingering) return now < lingers_until_;
  if (blocked_at_ && now - *blocked_at_ >= settings.request_max) return false;
  if (watch_) {
    if (out_.empty() && now - shown_at_ >= limits::heartbeat_period) {
      std::string text;
      watch_->append_heartbeat(text);
      append_piece(text);
      shown_at_ = now;
      return advance(now);
    }
    return true;
  }
  if (begun_at_ && now - *begun_at_ >= settings.request_max) {
    end_with(Service::refusal_page(HttpStatus::request_timeout, reader_));
    return advance(now);
  }
  return is_busy() || now - answered_at_ < settings.idle_max;
}

}  // namespace rps::rpc::rest
