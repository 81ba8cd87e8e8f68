// A serving thread: an epoll set, the connections in it, and the buffers that they share.
//
// The thread blocks in epoll_wait() and nowhere else. A pass serves each connection that is ready
// one turn: one read, all whole messages in it, one write. Workers share nothing but Shared.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/net/epoll.hpp"
#include "core/net/fd.hpp"
#include "core/token_bucket.hpp"
#include "stage2_jsonrpc/acceptor.hpp"
#include "stage2_jsonrpc/connection.hpp"
#include "stage2_jsonrpc/dispatcher.hpp"
#include "stage2_jsonrpc/eviction_order.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/shared.hpp"

namespace rps::jsonrpc {

// A connection that was accepted and has no worker yet.
struct Newcomer {
  net::Fd socket;                       // Non-blocking.
  std::shared_ptr<TokenBucket> bucket;  // As for Connection.
  Place place;                          // None while none is free.
  const Worker* asked_first = nullptr;  // The worker that was the first to have no place.
};

class Worker final {
 public:
  using Task = std::move_only_function<void()>;

  // The worker `number` of the server. Throws std::system_error.
  Worker(Shared& shared, std::size_t number);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // ---- For the server, from its one thread, in this order ----
  // REQUIRES: every worker that was started is ended before any of them is destroyed, because a
  // duel sends events from the thread of one to the connection of another.

  // The worker that is asked for a place when this one has none; of all workers a ring.
  void set_next(Worker& next) { next_ = &next; }

  // Starts the thread. With sockets as `listeners` it also accepts, and distributes the connections
  // to `workers` in turn. Throws std::system_error.
  void start(std::vector<net::Fd> listeners, std::vector<Worker*> workers);

  // Accepts the peers that wait in the queue of the listening socket and closes the socket; calls
  // are answered with the error `unavailable` from now on.
  void stop_accepting();

  // Waits until that is done, at most until `deadline`.
  void wait_until_accepted(Clock::time_point deadline);

  // Closes every connection once all that has arrived on it is answered. A connection on which
  // calls keep arriving is read until `reads_until`. REQUIRES: no other worker accepts any more.
  void begin_drain(Clock::time_point reads_until);

  // What a drain left unanswered, in connections.
  struct Unanswered {
    // Closed although a call that had arrived was unanswered, or a reply not sent completely.
    std::size_t cut_off = 0;
    // Bytes arrived after the connection was ended, and were not read as calls.
    std::size_t late = 0;
  };

  // Waits until the last connection has closed, at most until `deadline`, then closes those that
  // are left and ends the thread. Called again, it does and returns nothing.
  Unanswered end(Clock::time_point deadline);

  // ---- For any thread ----

  // Has the worker's thread run `task`.
  void post(Task task);

  // Has the worker's thread call `step` of the connection.
  void post(std::shared_ptr<Connection> connection, void (Connection::*step)());

  // ---- For the acceptor and the connections, on the worker's thread ----

  // Serves a new connection. REQUIRES: it has its place. Throws std::bad_alloc, and then nothing is
  // left of the newcomer.
  void adopt(Newcomer newcomer);

  // Serves a new connection in the place of one that is idle, here or at another worker. Closes it
  // when all are in use.
  void admit(Newcomer newcomer);

  // A newcomer could not be served, because of this.
  void lose_newcomer(const std::exception& failure);

  // Closes a connection of this worker that is idle. False when there is none.
  bool make_room();

  // The connection has sent its first whole message.
  void note_first_message(Connection& connection);

  Shared& shared() { return shared_; }
  Dispatcher& dispatcher() { return dispatcher_; }

  // The buffer into which a connection reads. The connection copies what it has to keep.
  std::span<char> read_buffer() { return *read_buffer_; }

  // The buffer into which a connection writes the replies of one turn. This function empties it: a
  // connection that failed in the middle of a turn may have left replies in the buffer, and the
  // next connection must not send them to its peer.
  std::string& write_buffer();

  // What epoll is to report of the connection's socket, for the first time and later.
  void watch(const net::Fd& socket, Connection& connection, std::uint32_t events);
  void watch_again(const net::Fd& socket, Connection& connection, std::uint32_t events);

  // Calls Connection::resume() after the other connections that are ready have had their turn.
  void resume_later(Connection& connection);

  // Until when a connection that drains may be read.
  Clock::time_point reads_until() const { return reads_until_; }

  // A connection ended with something unanswered, see Unanswered.
  void count_unanswered() { ++unanswered_.cut_off; }
  void count_late() { ++unanswered_.late; }

  // Removes a closed connection from the list.
  void remove(Connection& connection);

 private:
  void run();
  bool is_finished() const { return is_draining_ && connections_.empty(); }
  void run_pass();
  void resume_connections();
  void run_tasks();
  void check_connections();
  void reserve_for_newcomer();
  void report_gave_way(Clock::time_point now);
  void close_all();
  template <class Step>
  void guard(Connection& connection, Step&& step);

  Shared& shared_;
  const std::size_t number_;
  Dispatcher dispatcher_;
  bool is_draining_ = false;
  Clock::time_point reads_until_;
  Unanswered unanswered_;

  net::Epoll epoll_;
  net::Fd wake_;  // An eventfd: written to when tasks_ is no longer empty.
  std::optional<Acceptor> acceptor_;
  Clock::time_point next_check_;

  std::unique_ptr<std::array<char, limits::read_bytes_max>> read_buffer_;
  std::string write_buffer_;
  std::vector<std::shared_ptr<Connection>> connections_;
  EvictionOrder<Connection> eviction_order_;
  Worker* next_ = this;
  std::uint64_t gave_way_reported_ = 0;  // Connections that the log has told of.
  Clock::time_point next_report_;
  std::vector<std::shared_ptr<Connection>> to_resume_;  // In the next pass.
  std::vector<std::shared_ptr<Connection>> resuming_;   // In this pass.
  // Closed in this pass. They live until it ends, because events of the pass may still name them.
  std::vector<std::shared_ptr<Connection>> closed_;

  std::mutex tasks_mutex_;
  std::vector<Task> tasks_;  // Guarded by tasks_mutex_.
  std::vector<Task> running_tasks_;

  std::promise<void> accepted_;  // Kept when stop_accepting() is done.
  std::future<void> is_accepted_ = accepted_.get_future();
  std::promise<void> finished_;
  std::thread thread_;
};

}  // namespace rps::jsonrpc
