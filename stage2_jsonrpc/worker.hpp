// One serving thread: its io_context, its acceptor, its connections. Workers share nothing but the
// game, the counters and the port, whose connections the kernel deals out (SO_REUSEPORT).
#pragma once

#include <atomic>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "core/game.hpp"
#include "core/runtime/metrics.hpp"
#include "stage2_jsonrpc/connection.hpp"
#include "stage2_jsonrpc/cuts.hpp"
#include "stage2_jsonrpc/exchange.hpp"
#include "stage2_jsonrpc/limits.hpp"

namespace spdlog {
class logger;
}

namespace rps::jsonrpc {

using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp,
                                                    boost::asio::io_context::executor_type>;
using Timer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>,
                                                boost::asio::io_context::executor_type>;

// What the workers of a server have in common.
struct Shared {
  const Limits limits;
  Game& game;
  runtime::Metrics& metrics;
  spdlog::logger& log;
  CutCounters cuts;
  std::atomic<std::size_t> connections{0};
};

class Worker {
 public:
  // Listens at `at` or throws std::exception. With `share_port` other workers may listen there too.
  Worker(Shared& shared, const boost::asio::ip::tcp::endpoint& at, bool share_port);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  boost::asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

  // For the server, from its one thread, in this order. REQUIRES: what is started is ended before
  // any worker of the server is destroyed, as events pass from one to another.
  void start();
  void stop_accepting();
  void begin_drain();
  // Waits for the last connection until `deadline`, then closes the others and ends the thread.
  // True when no reply was cut off. Again is no harm.
  bool end(Clock::time_point deadline);

  // For the connections of this worker, on its thread.
  Shared& shared() { return shared_; }
  Exchange& exchange() { return exchange_; }
  Reply call(const Command& command, Caller& caller, Clock::time_point now);
  void refused(Error error);
  void count_answers(Clock::duration took);  // Of the calls since the last time.
  void forget(Connection& connection);

 private:
  struct Answer {
    std::optional<Operation> operation;
    std::optional<Error> error;
  };

  void run();
  void accept();
  void on_accept(const boost::system::error_code& error, Socket socket);
  void pause_accepting(const boost::system::error_code& why);
  void admit(Socket socket);
  void scan_later();
  void scan();
  void close_all();

  Shared& shared_;
  Exchange exchange_;
  std::vector<Answer> answers_;
  bool unavailable_ = false;  // No new calls.
  bool draining_ = false;     // No connections either.
  bool short_of_descriptors_ = false;
  bool cut_off_ = false;

  boost::asio::io_context io_{1};
  Acceptor acceptor_;
  Timer scan_timer_;
  Timer accept_timer_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::promise<void> finished_;
  std::thread thread_;
};

}  // namespace rps::jsonrpc
