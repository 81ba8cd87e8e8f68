#include "stage2_jsonrpc/worker.hpp"

#include <cerrno>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include <spdlog/logger.h>
#include <sys/eventfd.h>

#include "core/net/thread.hpp"

namespace rps::jsonrpc {

namespace {

// The tags in the epoll set. That of a connection is its address, which is neither 0 nor 1.
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

}  // namespace

Worker::Worker(Shared& shared, std::size_t number)
    : shared_(shared),
      number_(number),
      dispatcher_(shared),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      read_buffer_(std::make_unique_for_overwrite<std::array<char, limits::read_bytes_max>>()) {
  if (!wake_ || !epoll_.add(wake_.get(), EPOLLIN, wake_tag)) fail("eventfd");
}

// ---- For the server and for other threads ----------------------------------------------------

void Worker::start(std::vector<net::Fd> listeners, std::vector<Worker*> workers) {
  if (!listeners.empty()) {
    acceptor_.emplace(shared_, epoll_, listener_tag, std::move(listeners), *this,
                      std::move(workers));
  }
  thread_ = start_thread([this] { run(); });
}

void Worker::post(Task task) {
  const std::scoped_lock lock(tasks_mutex_);
  tasks_.push_back(std::move(task));
  if (tasks_.size() == 1) ::eventfd_write(wake_.get(), 1);
}

void Worker::post(std::shared_ptr<Connection> connection, void (Connection::*step)()) {
  post([this, connection = std::move(connection), step] {
    guard(*connection, [&] { ((*connection).*step)(); });
  });
}

void Worker::stop_accepting() {
  post([this] {
    dispatcher_.stop_executing();
    if (acceptor_) acceptor_->accept_all_waiting();
    acceptor_.reset();
    accepted_.set_value();
  });
}

void Worker::wait_until_accepted(Clock::time_point deadline) {
  is_accepted_.wait_until(deadline);
}

void Worker::begin_drain(Clock::time_point reads_until) {
  post([this, reads_until] {
    is_draining_ = true;
    reads_until_ = reads_until;
    for (std::size_t i = connections_.size(); i-- > 0;) {
      Connection& connection = *connections_[i];
      guard(connection, [&] { connection.drain(); });
    }
  });
}

Worker::Unanswered Worker::end(Clock::time_point deadline) {
  if (!thread_.joinable()) return {};
  if (finished_.get_future().wait_until(deadline) == std::future_status::timeout) {
    post([this] { close_all(); });
  }
  thread_.join();
  return unanswered_;
}

void Worker::close_all() {
  is_draining_ = true;
  acceptor_.reset();
  while (!connections_.empty()) connections_.back()->cut_off();
}

// ---- The loop --------------------------------------------------------------------------------

void Worker::run() {
  next_check_ = Clock::now() + shared_.limits.scan_period;
  while (!is_finished()) {
    try {
      run_pass();
    } catch (const std::exception& failure) {
      shared_.log.error("a serving thread failed: {}", failure.what());
    }
  }
  finished_.set_value();
}

void Worker::run_pass() {
  const auto ready = epoll_.wait(to_resume_.empty() ? next_check_ : Clock::time_point::min());
  const Clock::time_point began_at = Clock::now();
  for (const epoll_event& event : ready) {
    if (event.data.u64 == wake_tag) {
      run_tasks();
    } else if (event.data.u64 == listener_tag) {
      if (acceptor_) acceptor_->accept_waiting();
    } else {
      Connection& connection = connection_of(event.data.u64);
      guard(connection, [&] { connection.on_ready(event.events); });
    }
  }
  resume_connections();
  if (began_at >= next_check_) check_connections();
  closed_.clear();
  dispatcher_.pass_took(Clock::now() - began_at);
}

void Worker::resume_connections() {
  std::swap(to_resume_, resuming_);
  for (const auto& connection : resuming_) {
    guard(*connection, [&] { connection->resume(); });
  }
  resuming_.clear();
}

void Worker::run_tasks() {
  eventfd_t ignored = 0;
  ::eventfd_read(wake_.get(), &ignored);
  {
    const std::scoped_lock lock(tasks_mutex_);
    std::swap(tasks_, running_tasks_);
  }
  for (Task& task : running_tasks_) {
    try {
      task();
    } catch (const std::bad_alloc& failure) {
      lose_newcomer(failure);  // The steps of all others are guarded.
    }
  }
  running_tasks_.clear();
}

// One look at all connections every scan_period, instead of a timer for each read.
void Worker::check_connections() {
  const Clock::time_point now = Clock::now();
  next_check_ = now + shared_.limits.scan_period;
  for (std::size_t i = connections_.size(); i-- > 0;) {
    Connection& connection = *connections_[i];
    guard(connection, [&] { connection.check(now); });
  }
  if (number_ == 0) {
    shared_.peers.sweep(now);
    report_gave_way(now);
  }
  if (acceptor_) acceptor_->retry();
}

void Worker::report_gave_way(Clock::time_point now) {
  const std::uint64_t so_far = shared_.counters.counted(Cut::gave_way);
  if (so_far == gave_way_reported_ || now < next_report_) return;
  shared_.log.warn("idle connections closed to make room for new ones: {}",
                   so_far - std::exchange(gave_way_reported_, so_far));
  next_report_ = now + limits::gave_way_report_period;
}

// An exception closes the connection in whose step it was thrown, and no other.
template <class Step>
void Worker::guard(Connection& connection, Step&& step) {
  try {
    step();
  } catch (const std::exception& failure) {
    shared_.log.error("a connection failed: {}", failure.what());
    connection.close();
  }
}

// ---- For the acceptor and the connections ----------------------------------------------------

// Whatever can fail for want of memory comes before the first change.
void Worker::adopt(Newcomer newcomer) {
  reserve_for_newcomer();
  const auto connection = std::make_shared<Connection>(*this, std::move(newcomer.socket),
                                                       std::move(newcomer.bucket), Clock::now());
  connection->position_ = eviction_order_.add(*connection);
  connection->place_ = std::move(newcomer.place);
  connection->index_ = connections_.size();
  connections_.push_back(connection);
  shared_.metrics.connection_opened();
  shared_.counters.set_worker_connections(number_, connections_.size());
  guard(*connection, [&] {
    connection->start();
    if (is_draining_) connection->drain();
  });
}

// All connections can be closed in the pass in which the newcomer comes, and closing must not fail.
void Worker::reserve_for_newcomer() {
  const std::size_t needed = connections_.size() + closed_.size() + 1;
  for (auto* const list : {&connections_, &closed_}) {
    if (list->capacity() < needed) list->reserve(2 * needed);
  }
}

void Worker::lose_newcomer(const std::exception& failure) {
  shared_.log.error("a connection cannot be served: {}", failure.what());
  shared_.metrics.connection_refused(server::Refusal::resources);
}

// Another worker may have been faster and have taken the place that was made.
void Worker::admit(Newcomer newcomer) {
  newcomer.place = shared_.take_place();
  if (!newcomer.place && make_room()) newcomer.place = shared_.take_place();
  if (newcomer.place) return adopt(std::move(newcomer));
  if (newcomer.asked_first == nullptr) newcomer.asked_first = this;
  if (next_ == newcomer.asked_first) {
    return shared_.metrics.connection_refused(server::Refusal::limit);
  }
  next_->post([next = next_, newcomer = std::move(newcomer)]() mutable {
    next->admit(std::move(newcomer));
  });
}

bool Worker::make_room() {
  Connection* const connection = eviction_order_.choose(Clock::now());
  if (connection == nullptr) return false;
  connection->cut(Cut::gave_way);
  return true;
}

void Worker::note_first_message(Connection& connection) {
  eviction_order_.note_first_message(connection.position_);
}

std::string& Worker::write_buffer() {
  write_buffer_.clear();
  return write_buffer_;
}

void Worker::watch(const net::Fd& socket, Connection& connection, std::uint32_t events) {
  if (!epoll_.add(socket.get(), events, tag_of(connection))) fail("epoll_ctl");
}

void Worker::watch_again(const net::Fd& socket, Connection& connection, std::uint32_t events) {
  epoll_.modify(socket.get(), events, tag_of(connection));
}

void Worker::resume_later(Connection& connection) {
  to_resume_.push_back(connection.shared_from_this());
}

void Worker::remove(Connection& connection) {
  eviction_order_.remove(connection.position_);
  const std::size_t index = connection.index_;
  std::swap(connections_[index], connections_.back());
  connections_[index]->index_ = index;
  closed_.push_back(std::move(connections_.back()));
  connections_.pop_back();
  connection.place_.reset();
  shared_.metrics.connection_closed();
  shared_.counters.set_worker_connections(number_, connections_.size());
}

}  // namespace rps::jsonrpc
