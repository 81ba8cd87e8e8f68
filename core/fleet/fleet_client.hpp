// A Client over all the instances of a service: it chooses one for each call, tries again where
// that is safe, keeps away from those that fail, follows the registry, and answers every call in
// time.
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
// failure: Error::unavailable when nobody could be reached.
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
#include "core/fleet/circuit_breaker.hpp"
#include "core/fleet/connection.hpp"
#include "core/fleet/dial.hpp"
#include "core/fleet/limits.hpp"
#include "core/fleet/pool.hpp"
#include "core/fleet/registry.hpp"
#include "core/fleet/retry.hpp"
#include "core/net/epoll.hpp"
#include "core/net/stream_client.hpp"

namespace rps::fleet {

struct FleetOptions {
  std::string scheme;           // Of the instances' URLs; others in the list are left out.
  std::size_t connections = 1;  // To each instance, at most.
  std::size_t depth = 1;        // Calls open, for each of `connections`; all of them may be at one.
  Balance balance = Balance::hash;
  Clock::duration deadline = limits::deadline_default;
  std::uint32_t retries_max = limits::retries_default;  // Of one call.
  BackoffOptions backoff;  // Before retries, and before dialling again.
  RetryBudgetOptions retry_budget;
  BreakerOptions breaker;
  PoolOptions pool;
  Clock::duration connect_max = limits::connect_default;
  Clock::duration silence_max = limits::silence_default;  // Of a connection that owes an answer.
  std::uint64_t seed = 0;                                 // Of all random numbers.

  // Told in one sentence what an operator should know: an instance is lost, is back, is sick.
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
  std::uint64_t late_replies = 0;       // Dropped: nobody waited for them any longer.
  std::uint64_t breaker_opened = 0;
  std::uint64_t connects = 0;
  std::uint64_t connect_failures = 0;
  std::uint64_t connections_lost = 0;  // While calls were open on them.
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

class FleetClient final : public Client {
 public:
  // Begins to connect to all instances of the list and does not wait for it. Throws
  // std::system_error when the process has no descriptor for it.
  FleetClient(FleetOptions options, std::unique_ptr<net::WireCodec> codec,
              std::unique_ptr<Registry> registry);
  ~FleetClient() override;
  FleetClient(const FleetClient&) = delete;
  FleetClient& operator=(const FleetClient&) = delete;

  // Waits until it is known of every instance whether it can be reached, at most until `deadline`.
  // Returns how many can be. REQUIRES: no call is open.
  std::size_t await_instances(Clock::time_point deadline);

  void submit(std::uint64_t id, const Command& command) override;
  std::size_t poll(Clock::time_point deadline, Sink& sink) override;
  std::size_t in_flight_max() const override { return calls_.size(); }

  const Stats& stats() const { return stats_; }

  // Those of the list, and those that left it and have calls open.
  std::vector<InstanceStatus> instances() const;

 private:
  // From submit() to on_reply(). Keeps all that another attempt needs.
  struct Call {
    enum class Place : std::uint8_t {
      free,     // Nobody's.
      pending,  // Stands in pending_ until it is tried (again).
      waiting,  // On its connection, not sent.
      sent,     // On its connection, owed an answer.
    };
    Place place = Place::free;
    std::uint64_t id = 0;
    Command command;   // Its views point into `text`.
    std::string text;  // Keeps what it once grew to.
    Clock::time_point deadline;
    Clock::time_point sent_at;
    std::uint32_t retries = 0;
    std::uint32_t instance = nobody;    // Of the latest attempt.
    std::uint32_t avoided = nobody;     // The instance that has just failed it.
    std::uint32_t connection = nobody;  // Of the latest attempt.
    std::uint64_t sequence = 0;         // In that connection's stream.
    CircuitBreaker::Ticket ticket;
    std::uint32_t older = nobody;  // A list of all open calls in the order of their deadlines.
    std::uint32_t newer = nobody;
  };

  struct Instance {
    enum class Reach : std::uint8_t {
      unknown,  // Being dialled for the first time: trusted until the outcome is known.
      up,
      down,  // Dialled in the background until it is up again.
    };
    Instance(std::string the_url, const Address& the_address, const BreakerOptions& options)
        : url(std::move(the_url)), address(the_address), breaker(options) {}

    std::string url;
    Address address;
    CircuitBreaker breaker;
    Reach reach = Reach::unknown;
    bool is_listed = true;
    std::vector<std::uint32_t> connections;
    std::uint32_t duel_connection = nobody;
    std::size_t open_calls = 0;
    std::uint32_t dial_failures = 0;  // In a row.
    Clock::time_point dial_at;        // When to dial if there is no connection.
  };

  // How willingly an instance is chosen for a call.
  enum class Choice : std::uint8_t { good, avoided, being_dialled };

  struct Pending {
    Clock::time_point at;
    std::uint32_t call = nobody;
  };

  // Which instances there are.
  void poll_registry();
  void apply_listing();
  void add_instance(const std::string& url);
  void keep_instance(std::uint32_t index);
  void drop_instance(std::uint32_t index);
  void forget_if_gone(std::uint32_t index);

  // Which one carries a call, and over which connection.
  bool place(std::uint32_t call);
  std::optional<std::uint32_t> choose_instance(const Call& call);
  bool is_candidate(std::uint32_t index, const Call& call, Choice choice) const;
  std::uint32_t choose_connection(std::uint32_t instance, bool is_duel);
  std::uint32_t least_loaded(const Instance& instance) const;

  // Connections.
  std::uint32_t dial(std::uint32_t instance);
  void end_dialling(std::uint32_t index, Sink& sink);
  void serve(std::uint32_t index, Sink& sink);
  bool decode(std::uint32_t index, Sink& sink);
  void flush_dirty(Sink& sink);
  void flush(std::uint32_t index, Sink& sink);
  void set_blocked(std::uint32_t index, bool is_blocked);
  void mark_dirty(std::uint32_t index);
  void rest_if_idle(std::uint32_t index);
  void fail_connection(std::uint32_t index, Sink& sink);
  void close_connection(std::uint32_t index);
  std::uint64_t tag_of(std::uint32_t index) const;

  // Calls.
  std::uint32_t open_call(std::uint64_t id, const Command& command, Clock::time_point now);
  void close_call(std::uint32_t index);
  void leave_instance(Call& call);
  void on_answer(std::uint32_t index, const Reply& reply, Sink& sink);
  void on_farewell(Instance& instance, CircuitBreaker::Ticket ticket);
  void on_failure(std::uint32_t index, Reach reach, const Reply& reply, Sink& sink);
  bool schedule_retry(std::uint32_t index, Reach reach, const Reply& reply);
  void schedule(std::uint32_t index, Clock::time_point at);
  void answer(std::uint32_t index, const Reply& reply, Sink& sink);
  void report_failure(Instance& instance, CircuitBreaker::Ticket ticket);

  // Time.
  void turn(Clock::time_point deadline, Sink& sink);
  void handle(std::uint64_t tag, std::uint32_t events, Sink& sink);
  Clock::time_point next_due() const;
  void run_pending(Clock::time_point now, Sink& sink);
  void expire_calls(Clock::time_point now, Sink& sink);
  void sweep(Sink& sink);
  void sweep_instances();
  void sweep_connections(Sink& sink);
  void sweep_pool(Sink& sink);

  std::uint64_t next_random();

  FleetOptions options_;
  std::unique_ptr<net::WireCodec> codec_;
  std::unique_ptr<Registry> registry_;
  net::Epoll epoll_;
  Balancer balancer_;
  RetryBudget retry_budget_;
  Pool pool_;
  std::uint64_t random_;
  Stats stats_;

  std::vector<std::unique_ptr<Instance>> instances_;  // Null: a place for the next.
  std::vector<Candidate> candidates_;                 // The same places, as the balancer sees them.

  // Neither vector may move: the sink can submit while one of its members is in use.
  std::deque<Connection> connections_;
  std::vector<Call> calls_;
  std::vector<std::uint32_t> free_connections_;
  std::vector<std::uint32_t> free_calls_;

  std::uint32_t oldest_ = nobody;  // Open calls, the first being the first to expire.
  std::uint32_t newest_ = nobody;
  std::vector<Pending> pending_;         // A heap; the first is due first.
  std::vector<std::uint32_t> dirty_;     // Connections with something new to send.
  std::vector<std::uint32_t> sent_;      // Calls of a connection that broke …
  std::vector<std::uint32_t> not_sent_;  // … while they are sorted out.

  Clock::time_point now_;        // As of this turn.
  Clock::time_point sweep_at_;   // When to look again at what need not be exact.
  std::size_t handed_over_ = 0;  // By this poll.
};

}  // namespace rps::fleet
