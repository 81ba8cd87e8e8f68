// A Client over all the instances of a service. It chooses an instance for each call, tries a
// failed call again where that is safe, avoids instances that fail, follows the changes of the
// registry, and answers every call by its deadline.
//
//     submit ──▶ Balancer ──▶ CircuitBreaker ──▶ Connection ──▶ instance
//                   ▲  which ones?     └ which may?   └ which of its own? (Pool)
//                Registry
//
// What a call goes through:
//
//     submitted ──▶ waits on a connection ──▶ sent ──▶ answered
//         ▲                 │                  │
//         └── back-off ◀────┴── failed, and may be tried again
//
// One deadline spans all of it. A call past it is answered with Error::deadline_exceeded; the
// answer that may still come is dropped. A call that fails otherwise is answered with the last
// failure: Error::unavailable when no instance could be reached. An attempt may have a time-out of
// its own: one that takes longer is given up when the call may be tried again, else it goes on.
//
// An instance may have a name, which is looked up on a thread beside the event loop, and again when
// a connection is opened again; all its addresses are tried (net::Dialling).
//
// Sessions live in the instance that plays them. Only Balance::hash keeps a session at one
// instance, and when that one fails its sessions begin again at another.
//
// Duels: calls with a game id go, whatever the balance, to the instance that the id's hash names,
// over the one connection that this client keeps there for duels; two clients with the same list
// meet there, and events arrive over it. When the connection is lost its players have left their
// tables: they join again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/client.hpp"
#include "core/fleet/balancer.hpp"
#include "core/fleet/call_table.hpp"
#include "core/fleet/circuit_breaker.hpp"
#include "core/fleet/connection.hpp"
#include "core/fleet/instance_table.hpp"
#include "core/fleet/limits.hpp"
#include "core/fleet/pool.hpp"
#include "core/fleet/registry.hpp"
#include "core/fleet/retry.hpp"
#include "core/fleet/session.hpp"
#include "core/net/address.hpp"
#include "core/net/event_loop.hpp"
#include "core/net/loop_client.hpp"
#include "core/net/resolver.hpp"
#include "core/url.hpp"

namespace rps::fleet {

struct FleetOptions {
  std::vector<std::string> schemes;  // Of the instances' URLs; others in the list are left out.
  std::size_t connections = 1;       // To each instance, at most.
  std::size_t depth = 1;  // Calls open, for each of `connections`; all of them may be at one.
  Balance balance = Balance::hash;
  Clock::duration deadline = limits::deadline_default;
  Clock::duration attempt_max = Clock::duration::max();  // Then another attempt is made.
  std::uint32_t retries_max = limits::retries_default;   // Of one call.
  BackoffOptions backoff;  // Before retries, and before dialling again.
  RetryBudgetOptions retry_budget;
  BreakerOptions breaker;
  PoolOptions pool;
  Clock::duration connect_max = limits::connect_default;
  Clock::duration silence_max = limits::silence_default;  // Of a connection that owes an answer.
  std::uint64_t seed = 0;                                 // Of all random numbers.
  net::LookUp look_up = net::look_up;  // For the instances that have names; see net::LookUp.

  // Called with one sentence for an operator: an instance was lost, is back, or fails.
  std::function<void(const std::string& sentence)> notice = [](const std::string&) {};
};

// Counts since the client was made.
struct Stats {
  std::uint64_t calls = 0;              // Submitted.
  std::uint64_t answered = 0;           // With whatever.
  std::uint64_t failed = 0;             // Of those: deadline_exceeded, unavailable, overloaded.
  std::uint64_t retries = 0;            // Second and later attempts.
  std::uint64_t budget_denied = 0;      // Failed although a retry was safe: the budget was used up.
  std::uint64_t deadline_exceeded = 0;  // Answered so by this client.
  std::uint64_t slow_attempts = 0;      // Given up for another attempt: they took too long.
  std::uint64_t late_replies = 0;       // Dropped: nobody waited for them any longer.
  std::uint64_t breaker_opened = 0;
  std::uint64_t connects = 0;
  std::uint64_t connect_failures = 0;
  std::uint64_t connections_lost = 0;   // While calls were open on them.
  std::uint64_t connections_ended = 0;  // By an instance in good order.
  std::uint64_t reconnects = 0;         // Connects in place of a connection that was lost or ended.
  std::uint64_t resent = 0;     // Sent again because an instance ended the connection before them.
  std::uint64_t uncertain = 0;  // Failed after they were sent: may have been carried out.
  std::uint64_t pool_idle_closed = 0;
  std::uint64_t registry_changes = 0;
};

struct InstanceStatus {
  std::string url;
  bool is_up = false;  // The last attempt to connect, or the last connection, went well.
  CircuitBreaker::State breaker = CircuitBreaker::State::closed;
  std::size_t open_calls = 0;
  std::size_t connections = 0;
};

class FleetClient final : public net::LoopClient {
 public:
  // The protocol of the instance with this URL, whose scheme is one of FleetOptions::schemes.
  using MakeProtocol = std::function<std::unique_ptr<Protocol>(const Url& instance)>;

  // Begins to connect to all instances of the list and does not wait until they are connected.
  // Throws std::system_error when the process has no descriptor left.
  FleetClient(FleetOptions options, MakeProtocol make_protocol, std::unique_ptr<Registry> registry);
  ~FleetClient() override;
  FleetClient(const FleetClient&) = delete;
  FleetClient& operator=(const FleetClient&) = delete;

  // Waits until it is known of every instance whether it can be reached, at most until `deadline`.
  // Returns how many can be. REQUIRES: no call is open.
  std::size_t await_instances(Clock::time_point deadline);

  void submit(std::uint64_t id, const Command& command) override;
  std::size_t in_flight_max() const override { return calls_.calls_max(); }

  ConnectionCounts connection_counts() const override {
    return {
        .reconnects = stats_.reconnects, .resent = stats_.resent, .uncertain = stats_.uncertain};
  }

  const Stats& stats() const { return stats_; }

  // Those of the list, and those that left it and have calls open.
  std::vector<InstanceStatus> instances() const;

  // False while the source of the list fails, so that the last list stays (Registry::is_current).
  bool is_list_current() const { return registry_->is_current(); }

 private:
  // Which instances there are.
  void poll_registry();
  void apply_listing();
  void add_instance(const std::string& url);
  void keep_instance(std::uint32_t index);
  void drop_instance(std::uint32_t index);
  void forget_if_gone(std::uint32_t index);

  // Which one carries a call, and over which connection.
  bool place(std::uint32_t call);
  std::uint32_t choose_connection(std::uint32_t instance, bool is_duel);

  // Connections.
  void on_input(std::uint32_t key) override;
  void on_output(std::uint32_t key) override;
  std::uint32_t dial(std::uint32_t instance);
  void advance_dialling(std::uint32_t index);
  void finish_dialling(std::uint32_t index);
  void on_looked_up();
  void send_waiting(Connection& connection);
  bool take_news(std::uint32_t index);
  void take_end(std::uint32_t index);
  void take(std::uint32_t index, Session::News news, const Session::Told& told);
  void take_answer(std::uint32_t index, Session::News news, const Session::Told& told);
  void take_not_processed(std::uint32_t index, std::uint32_t call);
  void take_lost(std::uint32_t index, std::uint32_t call);
  static bool is_resent_free(const Connection& connection);
  void try_elsewhere(std::uint32_t index, bool is_free);
  void leave_if_told(std::uint32_t index);
  void close_if_over(std::uint32_t index);
  void rest_if_idle(std::uint32_t index);
  void fail_connection(std::uint32_t index);
  void count_failed_dialling(std::uint32_t instance, const std::string& error);
  void count_broken(std::uint32_t instance);
  void fail_calls(Instance& instance);
  void withdraw(std::uint32_t index);
  void close_connection(std::uint32_t index);

  // Calls.
  void leave_instance(std::uint32_t call);
  void take_off(std::uint32_t call, const Call& attempt);
  void on_answer(std::uint32_t index, const Reply& reply);
  void on_unavailable(Instance& instance, CircuitBreaker::Ticket ticket);
  void on_failure(std::uint32_t index, Reach reach, const Reply& reply);
  bool schedule_retry(std::uint32_t index, Reach reach, const Reply& reply);
  void answer(std::uint32_t index, const Reply& reply, bool is_from_instance);
  void report_failure(Instance& instance, CircuitBreaker::Ticket ticket);

  // Time.
  void step(Clock::time_point until) override;
  void run_pending(Clock::time_point now);
  void expire_calls(Clock::time_point now);
  void give_up_slow_attempts(Clock::time_point now);
  void sweep();
  void sweep_instances();
  void sweep_connections();
  void sweep_pool();
  bool is_silent(const Connection& connection) const;

  std::uint64_t next_random();

  FleetOptions options_;
  MakeProtocol make_protocol_;
  std::unique_ptr<Registry> registry_;
  net::EventLoop::Entry registry_entry_;
  net::Resolver resolver_;
  InstanceTable instances_;
  RetryBudget retry_budget_;
  Pool pool_;
  std::uint64_t random_;
  Stats stats_;

  std::deque<Connection> connections_;
  std::vector<std::uint32_t> free_connections_;
  CallTable calls_;

  std::vector<std::uint32_t> sent_;      // Calls of a connection that broke or leaves …
  std::vector<std::uint32_t> not_sent_;  // … while they are sorted out.

  Clock::time_point now_;       // As of the latest event.
  Clock::time_point sweep_at_;  // When to look again at what need not be exact.
};

}  // namespace rps::fleet
