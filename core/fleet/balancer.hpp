// Chooses the instance for a call. Pure: the caller provides the candidates and all random numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace rps::fleet {

enum class Balance : std::uint8_t {
  round_robin,    // In turns.
  least_request,  // The instance with the fewest calls open.
  hash,           // One session always at one instance; calls without a session in turns.
  random,         // Any.
};

inline constexpr std::array<Balance, 4> all_balances{Balance::round_robin, Balance::least_request,
                                                     Balance::hash, Balance::random};

// The name in URLs.
constexpr std::string_view to_string(Balance balance) {
  switch (balance) {
    case Balance::round_robin: return "round_robin";
    case Balance::least_request: return "least_request";
    case Balance::hash: return "hash";
    case Balance::random: return "random";
  }
  return "round_robin";
}

constexpr std::optional<Balance> parse_balance(std::string_view name) {
  for (const Balance balance : all_balances) {
    if (name == to_string(balance)) return balance;
  }
  return std::nullopt;
}

struct Candidate {
  std::uint64_t identity = 0;  // The same for the same instance, in every process.
  std::size_t open_calls = 0;
  bool is_usable = false;  // Not out of service, and its breaker lets a call through.
};

// The same for the same bytes in every process, as two clients must agree where a session lives.
std::uint64_t identity_of(std::string_view text);

// The usable candidate where `key` lives, or nothing when none is usable. By rendezvous hashing:
// for every candidate a number is computed from its identity and the key, and the candidate with
// the largest number is chosen. When a candidate is removed only its own keys move to others, and
// they move back when it returns.
// Source: Thaler, Ravishankar, "Using name-based mappings to increase hit rates", 1998.
std::optional<std::size_t> rendezvous(std::span<const Candidate> candidates, std::uint64_t key);

class Balancer {
 public:
  Balancer(Balance balance, std::uint64_t seed) : balance_(balance), random_(seed) {}

  // The index of a usable candidate, or nothing when none is usable. `session` is the identity of
  // the call's session, if it has one. Candidates keep their indices between calls; new ones may
  // take the places of those that went.
  std::optional<std::size_t> pick(std::span<const Candidate> candidates,
                                  std::optional<std::uint64_t> session);

 private:
  std::optional<std::size_t> in_turn(std::span<const Candidate> candidates);
  std::optional<std::size_t> least_open(std::span<const Candidate> candidates);
  std::optional<std::size_t> any(std::span<const Candidate> candidates);

  Balance balance_;
  std::uint64_t random_;
  std::size_t next_ = 0;  // Where the next turn begins.
};

}  // namespace rps::fleet
