#include "stage2_jsonrpc/worker.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/logger.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

namespace rps::jsonrpc {

namespace {

// Connections that one pass accepts, so that a flood of them starves nobody.
constexpr int accepts_per_pass = 64;

// What epoll says of the two descriptors that are no connection; of those it gives the address.
constexpr std::uint64_t wake_tag = 0;
constexpr std::uint64_t listener_tag = 1;

std::uint64_t tag_of(Connection& connection) {
  return reinterpret_cast<std::uintptr_t>(&connection);
}

Connection& connection_of(std::uint64_t tag) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): epoll carries a number.
  return *reinterpret_cast<Connection*>(static_cast<std::uintptr_t>(tag));
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

net::Fd open_spare() {
  return net::Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

std::string hex(std::span<const std::uint8_t> bytes) {
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

}  // namespace

Worker::Worker(Shared& shared, std::size_t number)
    : shared_(shared),
      number_(number),
      responder_(shared.limits),
      overload_(shared.limits.pass_max),
      trace_lines_(limits::trace_lines_per_second_max, limits::trace_lines_per_second_max),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      spare_(open_spare()),
      read_room_(std::make_unique_for_overwrite<std::array<char, limits::read_bytes_max>>()) {
  if (!wake_ || !epoll_.add(wake_.get(), EPOLLIN, wake_tag)) fail("eventfd");
}

// ---- For the server and for other threads ----------------------------------------------------

void Worker::start(net::Fd listener, std::vector<Worker*> workers) {
  listener_ = std::move(listener);
  workers_ = std::move(workers);
  if (listener_) epoll_.add(listener_.get(), EPOLLIN, listener_tag);
  thread_ = std::thread([this] { run(); });
}

void Worker::post(Task task) {
  const std::scoped_lock lock(tasks_mutex_);
  tasks_.push_back(std::move(task));
  if (tasks_.size() == 1) ::eventfd_write(wake_.get(), 1);
}

void Worker::post_mail(std::shared_ptr<Connection> connection, bool too_much) {
  post([this, connection = std::move(connection), too_much] {
    guard(*connection, [&] { too_much ? connection->cut(Cut::events) : connection->take_mail(); });
  });
}

void Worker::stop_accepting() {
  post([this] {
    unavailable_ = true;
    listener_ = net::Fd();
  });
}

void Worker::begin_drain() {
  post([this] {
    draining_ = true;
    // From the back: whoever closes is replaced by the last, which has been told already.
    for (std::size_t i = connections_.size(); i-- > 0;) {
      Connection& connection = *connections_[i];
      guard(connection, [&] { connection.drain(); });
    }
  });
}

bool Worker::end(Clock::time_point deadline) {
  if (!thread_.joinable()) return !cut_off_;
  if (finished_.get_future().wait_until(deadline) == std::future_status::timeout) {
    post([this] { close_all(); });
  }
  thread_.join();
  return !cut_off_;
}

void Worker::close_all() {
  draining_ = true;
  listener_ = net::Fd();
  while (!connections_.empty()) {
    Connection& connection = *connections_.back();
    cut_off_ |= connection.has_unsent();
    connection.close();
  }
}

// ---- The loop --------------------------------------------------------------------------------

void Worker::run() {
  next_scan_ = Clock::now() + shared_.limits.scan_period;
  while (!is_finished()) {
    try {
      pass();
    } catch (const std::exception& failure) {
      shared_.log.error("a serving thread failed: {}", failure.what());
    }
  }
  finished_.set_value();
}

void Worker::pass() {
  const auto ready = epoll_.wait(later_.empty() ? next_scan_ : Clock::time_point::min());
  const Clock::time_point began_at = Clock::now();
  for (const epoll_event& event : ready) {
    if (event.data.u64 == wake_tag) {
      take_tasks();
    } else if (event.data.u64 == listener_tag) {
      accept_some();
    } else {
      Connection& connection = connection_of(event.data.u64);
      guard(connection, [&] { connection.on_ready(event.events); });
    }
  }
  take_turns();
  if (began_at >= next_scan_) scan();
  closed_.clear();
  overload_.pass_took(Clock::now() - began_at);
}

void Worker::take_turns() {
  std::swap(later_, turns_);
  for (const auto& connection : turns_) {
    guard(*connection, [&] { connection->take_turn(); });
  }
  turns_.clear();
}

void Worker::take_tasks() {
  eventfd_t ignored = 0;
  ::eventfd_read(wake_.get(), &ignored);
  {
    const std::scoped_lock lock(tasks_mutex_);
    std::swap(tasks_, tasks_in_turn_);
  }
  for (Task& task : tasks_in_turn_) task();
  tasks_in_turn_.clear();
}

// One coarse look at everyone instead of a timer for each read.
void Worker::scan() {
  const Clock::time_point now = Clock::now();
  next_scan_ = now + shared_.limits.scan_period;
  for (std::size_t i = connections_.size(); i-- > 0;) {
    Connection& connection = *connections_[i];
    guard(connection, [&] { connection.check(now); });
  }
  if (number_ == 0) shared_.peers.sweep(now);
  if (!short_of_descriptors_) return;
  watch_listener(EPOLLIN);
  short_of_descriptors_ = std::exchange(turned_away_, 0) > 0;
}

// What goes wrong with one connection closes it and spares all others.
template <class Body>
void Worker::guard(Connection& connection, Body&& body) {
  try {
    body();
  } catch (const std::exception& failure) {
    shared_.log.error("a connection failed: {}", failure.what());
    connection.close();
  }
}

// ---- Accepting -------------------------------------------------------------------------------

void Worker::accept_some() {
  for (int i = 0; i < accepts_per_pass && accept_one(); ++i) {
  }
}

// False when there is nobody to accept now.
bool Worker::accept_one() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  net::Fd socket(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket) {
    deal(std::move(socket), address);
    return true;
  }
  if (errno == ECONNABORTED || errno == EINTR) return true;
  if (errno == EAGAIN) return false;
  return turn_one_away();
}

// Out of descriptors or memory. Whoever waits to be accepted would wait for ever, and the listener
// would stay ready; so one is let in with the last descriptor, to be closed at once. Where even
// that fails, accepting pauses until the next scan.
bool Worker::turn_one_away() {
  if (!std::exchange(short_of_descriptors_, true)) {
    shared_.log.warn("cannot accept: {}", std::system_category().message(errno));
  }
  ++turned_away_;
  spare_ = net::Fd();
  const bool turned_away =
      static_cast<bool>(net::Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  spare_ = open_spare();
  if (turned_away) {
    shared_.metrics.connection_refused();
  } else {
    watch_listener(0);
  }
  return turned_away;
}

void Worker::watch_listener(std::uint32_t events) {
  if (listener_) epoll_.modify(listener_.get(), events, listener_tag);
}

void Worker::deal(net::Fd socket, const sockaddr_storage& address) {
  if (shared_.connections.fetch_add(1) >= shared_.limits.connections_max) {
    shared_.connections.fetch_sub(1);
    shared_.metrics.connection_refused();
    return;
  }
  shared_.metrics.connection_opened();
  auto bucket = shared_.peers.bucket_of(address);
  Worker& worker = *workers_[next_worker_++ % workers_.size()];
  if (&worker == this) return admit(std::move(socket), std::move(bucket));
  worker.post([&worker, socket = std::move(socket), bucket = std::move(bucket)]() mutable {
    worker.admit(std::move(socket), std::move(bucket));
  });
}

void Worker::admit(net::Fd socket, std::shared_ptr<TokenBucket> bucket) {
  const auto connection =
      std::make_shared<Connection>(*this, std::move(socket), std::move(bucket), Clock::now());
  connection->index_ = connections_.size();
  connections_.push_back(connection);
  shared_.counters.set_worker_connections(number_, connections_.size());
  guard(*connection, [&] { draining_ ? connection->close() : connection->start(); });
}

// ---- For the connections ---------------------------------------------------------------------

void Worker::watch(const net::Fd& socket, Connection& connection, std::uint32_t events) {
  if (!epoll_.add(socket.get(), events, tag_of(connection))) fail("epoll_ctl");
}

void Worker::watch_again(const net::Fd& socket, Connection& connection, std::uint32_t events) {
  epoll_.modify(socket.get(), events, tag_of(connection));
}

std::string& Worker::write_room() {
  write_room_.clear();
  return write_room_;
}

void Worker::turn_later(Connection& connection) {
  later_.push_back(connection.shared_from_this());
}

void Worker::forget(Connection& connection) {
  const std::size_t index = connection.index_;
  std::swap(connections_[index], connections_.back());
  connections_[index]->index_ = index;
  closed_.push_back(std::move(connections_.back()));
  connections_.pop_back();
  shared_.connections.fetch_sub(1);
  shared_.metrics.connection_closed();
  shared_.counters.set_worker_connections(number_, connections_.size());
}

Reply Worker::call(const Command& command, Caller& caller, Clock::time_point now) {
  const Reply reply = unavailable_
                          ? Reply{.operation = command.operation, .error = Error::unavailable}
                          : shared_.game.handle(command, caller, now);
  note(command.operation, reply.error);
  return reply;
}

void Worker::refused(std::optional<Operation> operation, Error error) {
  note(operation, error);
}

void Worker::note(std::optional<Operation> operation, std::optional<Error> error) {
  shared_.metrics.call_began();
  const bool is_alike =
      !answers_.empty() && answers_.back().operation == operation && answers_.back().error == error;
  if (!is_alike) answers_.push_back({.operation = operation, .error = error});
  ++answers_.back().count;
}

void Worker::count_answers(Clock::duration took) {
  for (const Answers& answers : answers_) {
    shared_.metrics.answered(answers.operation, answers.error, took, answers.count);
    shared_.metrics.call_ended(answers.count);
  }
  answers_.clear();
}

void Worker::log_traced(const Call& call, const Reply& reply) {
  if (trace_lines_.take(Clock::now()).count() > 0) {
    shared_.counters.count_trace_line_dropped();
    return;
  }
  shared_.log.info("call operation={} outcome={} trace_id={} parent_id={}",
                   to_string(reply.operation), reply.error ? to_string(*reply.error) : "ok",
                   hex(call.trace->trace_id), hex(call.trace->parent_id));
}

}  // namespace rps::jsonrpc
