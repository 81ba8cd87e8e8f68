// The instances that a fleet client knows, and the choice of one for a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/fleet/balancer.hpp"
#include "core/fleet/call_table.hpp"
#include "core/fleet/circuit_breaker.hpp"
#include "core/fleet/session.hpp"
#include "core/net/endpoint.hpp"

namespace rps::fleet {

struct Instance {
  enum class Reach : std::uint8_t {
    unknown,  // Being dialled for the first time: trusted until the outcome is known.
    up,
    down,  // Dialled in the background until it is up again.
  };
  std::string url;
  net::Endpoint endpoint;
  std::unique_ptr<Protocol> protocol;
  CircuitBreaker breaker;
  Reach reach = Reach::unknown;
  bool is_listed = true;                   // By the registry.
  std::vector<std::uint32_t> connections;  // By their indices: those that take calls, …
  std::vector<std::uint32_t> leaving;      // … and those that take no more.
  std::uint32_t duel_connection = no_index;
  std::uint32_t latest_connection = no_index;  // Of `connections`: it brought the latest answer.
  std::size_t open_calls = 0;
  std::uint64_t ended_connections = 0;  // By the instance, and not opened again yet.
  std::uint32_t dial_failures = 0;      // In a row.
  Clock::time_point dial_at;            // When to dial if there is no connection.
};

// An instance keeps its index and its address in memory while it is in the table; the index is used
// again when it has left.
class InstanceTable {
 public:
  InstanceTable(Balance balance, std::uint64_t seed) : balancer_(balance, seed) {}

  // By index; null where there is none.
  const std::vector<std::unique_ptr<Instance>>& places() const { return places_; }

  // REQUIRES: there is one.
  Instance& operator[](std::uint32_t index) { return *places_[index]; }

  bool contains(std::string_view url) const;
  std::uint32_t add(Instance instance);
  void remove(std::uint32_t index);

  // The instance for the call: one that is listed and whose breaker allows a call; rather one that
  // is up, and rather another than the one that has just failed the call. Calls with a game id go
  // where its hash says, others where the balancer says. Nothing when no instance can take it.
  std::optional<std::uint32_t> choose(const Call& call, Clock::time_point now);

  // Count the open calls of an instance, for the balancer.
  void begin_call(std::uint32_t index);
  void end_call(std::uint32_t index);

 private:
  // The preference of an instance for a call.
  enum class Choice : std::uint8_t { good, avoided, being_dialled };

  static bool is_candidate(const Instance& instance, bool has_failed, Choice choice);

  Balancer balancer_;
  std::vector<std::unique_ptr<Instance>> places_;
  std::vector<Candidate> candidates_;  // The same places, as the balancer sees them.
};

}  // namespace rps::fleet
