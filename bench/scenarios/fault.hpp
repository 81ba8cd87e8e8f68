// Kills or freezes one of a trial's servers while the load goes on, and undoes it:
//
//   opened       |<-- a quarter -->|<-- a quarter -->|<------- half ------->|  closed
//   kill         |                 SIGKILL           started again, same address
//   freeze       |                 SIGSTOP           SIGCONT
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "bench/model/target.hpp"
#include "bench/model/trial.hpp"
#include "bench/scenarios/servers.hpp"
#include "core/client.hpp"

namespace rps::scenarios {

// The shares of the window after which a fault begins and ends.
inline constexpr double fault_begins_at = 0.25;
inline constexpr double fault_ends_at = 0.5;

// When what happened.
struct FaultTimes {
  std::optional<Clock::time_point> began;     // The signal was sent.
  std::optional<Clock::time_point> ended;     // It serves again, or may go on.
  std::optional<Clock::time_point> rejoined;  // It has answered a call since it was started again.
};

// Kills or freezes the first of a target's servers, and undoes it, on a thread of its own.
class FaultInjector {
 public:
  // REQUIRES: a fault; `servers` outlives this object.
  FaultInjector(model::Fault fault, const Servers& servers) : fault_(fault), servers_(servers) {}
  // Ends the server that was started again: after the client, which then has no call open there.
  ~FaultInjector();
  FaultInjector(const FaultInjector&) = delete;
  FaultInjector& operator=(const FaultInjector&) = delete;

  // The window opened now. Once.
  void begin(Clock::duration window);

  // The window closed, or the load ended before: what is not begun by now does not happen, and what
  // is frozen goes on. Throws std::exception when the killed server did not start again.
  FaultTimes finish();

 private:
  void run(Clock::time_point opened, Clock::duration window);
  FaultTimes carry_out(Clock::time_point opened, Clock::duration window);
  bool wait_until(Clock::time_point time);
  std::optional<Clock::time_point> await_call(const HostPort& admin);

  model::Fault fault_;
  const Servers& servers_;
  std::promise<FaultTimes> times_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;                // The window.
  bool is_to_end_ = false;              // This object.
  std::optional<StartedServer> again_;  // Started and ended by the thread.
  std::thread thread_;
};

// Passes all on to another client, and notes when calls were answered without an error.
class AnswerLog final : public Client, Sink {
 public:
  // `expected` answers are noted without an allocation. REQUIRES: `client` outlives it.
  AnswerLog(Client& client, std::size_t expected) : client_(client) { answered_.reserve(expected); }

  // In the order in which they were handed over.
  const std::vector<Clock::time_point>& answered() const { return answered_; }

  void submit(std::uint64_t id, const Command& command) override { client_.submit(id, command); }
  std::size_t poll(Clock::time_point deadline, Sink& sink) override;
  std::size_t in_flight_max() const override { return client_.in_flight_max(); }
  ConnectionCounts connection_counts() const override { return client_.connection_counts(); }

 private:
  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override;
  void on_event(const Event& event) override { sink_->on_event(event); }
  void on_observation(const Observation& seen) override { sink_->on_observation(seen); }
  void on_watch_ended(std::uint64_t id, const Reply& reply) override {
    sink_->on_watch_ended(id, reply);
  }

  Client& client_;
  Sink* sink_ = nullptr;  // Of the current poll.
  std::vector<Clock::time_point> answered_;
};

// ---- What follows from it ------------------------------------------------------------------

// The rate is full again when right answers come, in each of so many pieces of the time one behind
// the other, at this share of the rate at least.
inline constexpr double full_rate_share = 0.95;
inline constexpr std::size_t full_pieces = 3;
inline constexpr std::chrono::milliseconds piece_of_time{100};

// Of a window that was opened and closed then, with calls due at an even rate. `answered` is
// sorted. Nothing when the fault did not begin or did not end in the window.
std::optional<model::FaultEffect> judge_fault(const FaultTimes& times,
                                              const std::vector<Clock::time_point>& answered,
                                              double per_second, Clock::time_point opened,
                                              Clock::time_point closed);

}  // namespace rps::scenarios
