#include "stage2_jsonrpc/worker.hpp"

#include <exception>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/logger.h>
#include <sys/socket.h>

namespace rps::jsonrpc {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// How long accepting pauses when the process is out of descriptors or memory.
constexpr std::chrono::milliseconds accept_pause{100};

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

}  // namespace

Worker::Worker(Shared& shared, const tcp::endpoint& at, bool share_port)
    : shared_(shared),
      exchange_(shared.limits),
      acceptor_(io_),
      scan_timer_(io_),
      accept_timer_(io_) {
  acceptor_.open(at.protocol());
  acceptor_.set_option(tcp::acceptor::reuse_address(true));
  if (share_port) acceptor_.set_option(ReusePort(true));
  acceptor_.bind(at);
  acceptor_.listen();
}

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::run() {
  accept();
  scan_later();
  while (true) {
    try {
      io_.run();
      break;
    } catch (const std::exception& failure) {
      shared_.log.error("a serving thread failed: {}", failure.what());
    }
  }
  finished_.set_value();
}

void Worker::stop_accepting() {
  asio::post(io_, [this] {
    unavailable_ = true;
    error_code ignored;
    (void)acceptor_.close(ignored);
    accept_timer_.cancel();
  });
}

void Worker::begin_drain() {
  asio::post(io_, [this] {
    draining_ = true;
    for (std::size_t i = connections_.size(); i-- > 0;) {
      const auto connection = connections_[i];
      connection->end();
    }
    if (connections_.empty()) scan_timer_.cancel();
  });
}

bool Worker::end(Clock::time_point deadline) {
  if (!thread_.joinable()) return !cut_off_;
  if (finished_.get_future().wait_until(deadline) == std::future_status::timeout) {
    asio::post(io_, [this] { close_all(); });
  }
  thread_.join();
  return !cut_off_;
}

void Worker::close_all() {
  draining_ = true;
  error_code ignored;
  (void)acceptor_.close(ignored);
  while (!connections_.empty()) {
    const auto connection = connections_.back();
    cut_off_ |= connection->has_unsent();
    connection->close();
  }
  io_.stop();
}

void Worker::accept() {
  acceptor_.async_accept(
      [this](const error_code& error, Socket socket) { on_accept(error, std::move(socket)); });
}

void Worker::on_accept(const error_code& error, Socket socket) {
  if (!acceptor_.is_open()) return;
  if (error && error != asio::error::connection_aborted) return pause_accepting(error);
  if (!error) {
    short_of_descriptors_ = false;
    try {
      admit(std::move(socket));
    } catch (const std::exception& failure) {
      shared_.log.error("a connection could not be opened: {}", failure.what());
    }
  }
  accept();
}

// Out of descriptors or memory: trying again at once would only burn the processor.
void Worker::pause_accepting(const error_code& why) {
  if (!std::exchange(short_of_descriptors_, true)) {
    shared_.log.warn("accepting pauses: {}", why.message());
  }
  accept_timer_.expires_after(accept_pause);
  accept_timer_.async_wait([this](const error_code& error) {
    if (!error && acceptor_.is_open()) accept();
  });
}

void Worker::admit(Socket socket) {
  if (shared_.connections.fetch_add(1) >= shared_.limits.connections_max) {
    shared_.connections.fetch_sub(1);
    shared_.metrics.connection_refused();
    return;
  }
  shared_.metrics.connection_opened();
  error_code ignored;
  (void)socket.set_option(tcp::no_delay(true), ignored);
  (void)socket.non_blocking(true, ignored);
  const auto connection = std::make_shared<Connection>(*this, std::move(socket), Clock::now());
  connection->index_ = connections_.size();
  connections_.push_back(connection);
  connection->start();
}

void Worker::forget(Connection& connection) {
  const std::size_t index = connection.index_;
  std::swap(connections_[index], connections_.back());
  connections_[index]->index_ = index;
  connections_.pop_back();
  shared_.connections.fetch_sub(1);
  shared_.metrics.connection_closed();
  if (draining_ && connections_.empty()) scan_timer_.cancel();
}

// One coarse look at everyone instead of a timer for each read.
void Worker::scan_later() {
  scan_timer_.expires_after(shared_.limits.scan_period);
  scan_timer_.async_wait([this](const error_code& error) {
    if (error || (draining_ && connections_.empty())) return;
    scan();
    scan_later();
  });
}

void Worker::scan() {
  const Clock::time_point now = Clock::now();
  // From the back: whoever is cut is replaced by the last, which has been looked at already.
  for (std::size_t i = connections_.size(); i-- > 0;) {
    const auto connection = connections_[i];
    connection->check(now);
  }
}

Reply Worker::call(const Command& command, Caller& caller, Clock::time_point now) {
  shared_.metrics.call_began();
  const Reply reply = unavailable_
                          ? Reply{.operation = command.operation, .error = Error::unavailable}
                          : shared_.game.handle(command, caller, now);
  answers_.push_back({.operation = command.operation, .error = reply.error});
  return reply;
}

void Worker::refused(Error error) {
  shared_.metrics.call_began();
  answers_.push_back({.operation = std::nullopt, .error = error});
}

void Worker::count_answers(Clock::duration took) {
  for (const Answer& answer : answers_) {
    shared_.metrics.answered(answer.operation, answer.error, took);
    shared_.metrics.call_ended();
  }
  answers_.clear();
}

}  // namespace rps::jsonrpc
