// The listening sockets, one for each address of the host, and the thread that accepts from them.
//
// gRPC 1.51 could listen by itself, but it closes its listener for good at the first accept that
// fails because the process is out of descriptors: a client that opens enough connections once ends
// the service. This listener closes connections past a limit and those for which the process has no
// descriptor, and goes on accepting.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/net/fd.hpp"
#include "core/net/reserve.hpp"
#include "core/server/metrics.hpp"
#include "core/url.hpp"
#include "stage3_grpc/boundary/connection_budget.hpp"

namespace spdlog {
class logger;
}

namespace rps::rpc {

class Listener {
 public:
  // Takes over one connection, non-blocking and with TCP_NODELAY, and its place, which it gives
  // back when the connection is closed.
  using Take = std::function<void(net::Fd connection, boundary::ConnectionBudget::Place place)>;
  using Tick = std::function<void(Clock::time_point now)>;
  // Closes other connections in order to make room for a new one. True: some are being closed, so
  // the new one may be taken beyond the limit.
  using MakeRoom = std::function<bool()>;

  // Listens on `address`, all of its addresses; nothing is accepted yet. Raises the process's limit
  // of descriptors to what `connections_max` needs, as far as it may. `metrics` count the accepted,
  // refused and open connections. Throws std::runtime_error. REQUIRES: metrics and log outlive it.
  Listener(const HostPort& address, std::size_t connections_max, server::Metrics& metrics,
           spdlog::logger& log);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // With the port that the system chose, when it was to choose.
  const HostPort& address() const { return address_; }

  // The places of its connections.
  boundary::ConnectionBudget& budget() { return *budget_; }

  // So many connections may be open from now on; raises the limit of descriptors as the constructor
  // does. Any thread.
  void set_connections_max(std::size_t connections_max);

  // Accepts from now on, on a thread of its own, which also calls `take`, `make_room` when there is
  // no place and, once a second, `tick`.
  void start(Take take, MakeRoom make_room, Tick tick);

  // After it returns, nothing is accepted, and `take` and `tick` are not called any more. Twice is
  // once.
  void stop();

 private:
  void accept_all(const std::stop_token& stop);
  void accept_one(const net::Fd& socket, const std::stop_token& stop);
  void admit(net::Fd connection);
  void turn_away(const net::Fd& socket, int error);
  void every_second(Clock::time_point now);

  HostPort address_;
  server::Metrics& metrics_;
  spdlog::logger& log_;
  std::vector<net::Fd> sockets_;
  std::shared_ptr<boundary::ConnectionBudget> budget_;
  net::Reserve reserve_;
  Take take_;
  MakeRoom make_room_;
  Tick tick_;
  Clock::time_point ticked_at_;
  // Set when accept() fails, which is logged then, and cleared when it did not fail for a second.
  bool is_failing_ = false;
  bool failed_since_tick_ = false;
  std::jthread thread_;
};

}  // namespace rps::rpc
