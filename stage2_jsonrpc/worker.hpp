// One serving thread: an epoll set, the connections in it, and the buffers they share.
//
// Nothing here waits but epoll. A pass serves everyone who is ready once: one read, all
// whole messages of it, one write. Workers share nothing but the game and the counters.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/game.hpp"
#include "core/net/epoll.hpp"
#include "core/net/fd.hpp"
#include "core/server/metrics.hpp"
#include "stage2_jsonrpc/connection.hpp"
#include "stage2_jsonrpc/counters.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/overload.hpp"
#include "stage2_jsonrpc/peer_limits.hpp"
#include "stage2_jsonrpc/protocol.hpp"
#include "stage2_jsonrpc/responder.hpp"
#include "stage2_jsonrpc/token_bucket.hpp"

namespace spdlog {
class logger;
}

namespace rps::jsonrpc {

class Worker;

// What the workers of a server have in common.
struct Shared {
  const Limits limits;
  Game& game;
  server::Metrics& metrics;
  spdlog::logger& log;
  Counters counters;
  PeerLimits peers;
  std::atomic<std::size_t> connections{0};
};

class Worker final : public Pages {
 public:
  // The worker `number` of the server. Throws std::system_error.
  Worker(Shared& shared, std::size_t number);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // For the server, from its one thread, in this order. REQUIRES: what is started is ended before
  // any worker of the server is destroyed, as events pass from one to another.

  // Accepts from `listener`, if it is a socket, and deals the connections to `workers` in turn.
  void start(net::Fd listener, std::vector<Worker*> workers);
  void stop_accepting();
  void begin_drain();
  // Waits for the last connection until `deadline`, then closes the others and ends the thread.
  // True when no reply was cut off. Again is no harm.
  bool end(Clock::time_point deadline);

  // For any thread: the worker's own comes back to the connection soon.
  void post_mail(std::shared_ptr<Connection> connection, bool too_much);

  // For the connections of this worker, on its thread.
  Shared& shared() { return shared_; }
  Responder& responder() { return responder_; }
  std::span<char> read_room() { return *read_room_; }
  std::string& write_room();  // Empty, whatever became of those who had it before.
  void watch(const net::Fd& socket, Connection& connection, std::uint32_t events);
  void watch_again(const net::Fd& socket, Connection& connection, std::uint32_t events);
  void turn_later(Connection& connection);  // The other connections come first.
  void forget(Connection& connection);

  bool is_overloaded() const { return overload_.is_overloaded(); }
  Reply call(const Command& command, Caller& caller, Clock::time_point now);
  void refused(std::optional<Operation> operation, Error error);
  void count_answers(Clock::duration took);  // Of the calls since the last time.
  void log_traced(const Call& call, const Reply& reply);

  bool is_ready() override { return !unavailable_; }
  std::string metrics_text() override { return shared_.metrics.text(); }

 private:
  using Task = std::move_only_function<void()>;

  // So many calls in a row that were answered alike: in a pipeline nearly all of them are.
  struct Answers {
    std::optional<Operation> operation;
    std::optional<Error> error;
    std::uint32_t count = 0;
  };

  void note(std::optional<Operation> operation, std::optional<Error> error);
  void post(Task task);
  void run();
  bool is_finished() const { return draining_ && connections_.empty(); }
  void pass();
  void take_turns();
  void take_tasks();
  void scan();
  void close_all();
  template <class Body>
  void guard(Connection& connection, Body&& body);

  void accept_some();
  bool accept_one();
  void deal(net::Fd socket, const sockaddr_storage& address);
  void admit(net::Fd socket, std::shared_ptr<TokenBucket> bucket);
  bool turn_one_away();
  void watch_listener(std::uint32_t events);

  Shared& shared_;
  const std::size_t number_;
  Responder responder_;
  Overload overload_;
  TokenBucket trace_lines_;
  std::vector<Answers> answers_;
  bool unavailable_ = false;  // No new calls.
  bool draining_ = false;     // No connections either.
  bool cut_off_ = false;

  net::Epoll epoll_;
  net::Fd wake_;  // An eventfd.
  net::Fd listener_;
  net::Fd spare_;                      // A descriptor to give up when there is no other.
  bool short_of_descriptors_ = false;  // Until a scan finds that nobody …
  std::size_t turned_away_ = 0;        // … was turned away since the last one.
  std::vector<Worker*> workers_;       // To deal connections to …
  std::size_t next_worker_ = 0;        // … in turn.
  Clock::time_point next_scan_;

  std::unique_ptr<std::array<char, limits::read_bytes_max>> read_room_;
  std::string write_room_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> later_;   // Whose turn was cut short …
  std::vector<std::shared_ptr<Connection>> turns_;   // … and those who have it now.
  std::vector<std::shared_ptr<Connection>> closed_;  // In this pass: somebody may hold a pointer.

  std::mutex tasks_mutex_;
  std::vector<Task> tasks_;  // Guarded by tasks_mutex_.
  std::vector<Task> tasks_in_turn_;

  std::promise<void> finished_;
  std::thread thread_;
};

}  // namespace rps::jsonrpc
