#include "core/fleet/balancer.hpp"

#include <algorithm>

#include "core/random.hpp"

namespace rps::fleet {

std::uint64_t identity_of(std::string_view text) {
  return hash_bytes(text, 0);
}

std::optional<std::size_t> rendezvous(std::span<const Candidate> candidates, std::uint64_t key) {
  std::optional<std::size_t> winner;
  std::uint64_t largest = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!candidates[i].is_usable) continue;
    const std::uint64_t drawn = mix(candidates[i].identity, key);
    if (!winner || drawn > largest) {
      winner = i;
      largest = drawn;
    }
  }
  return winner;
}

std::optional<std::size_t> Balancer::pick(std::span<const Candidate> candidates,
                                          std::optional<std::uint64_t> session) {
  switch (balance_) {
    case Balance::round_robin: return in_turn(candidates);
    case Balance::least_request: return least_open(candidates);
    case Balance::hash: return session ? rendezvous(candidates, *session) : in_turn(candidates);
    case Balance::random: return any(candidates);
  }
  return std::nullopt;
}

std::optional<std::size_t> Balancer::in_turn(std::span<const Candidate> candidates) {
  for (std::size_t step = 0; step < candidates.size(); ++step) {
    const std::size_t i = (next_ + step) % candidates.size();
    if (!candidates[i].is_usable) continue;
    next_ = i + 1;
    return i;
  }
  return std::nullopt;
}

// Compares all candidates. The choice between two random ones is for balancers with outdated
// counts, which would otherwise all choose the same instance; this client's counts are its own and
// exact. Of equal candidates it chooses in turns.
std::optional<std::size_t> Balancer::least_open(std::span<const Candidate> candidates) {
  std::optional<std::size_t> least;
  for (std::size_t step = 0; step < candidates.size(); ++step) {
    const std::size_t i = (next_ + step) % candidates.size();
    if (!candidates[i].is_usable) continue;
    if (!least || candidates[i].open_calls < candidates[*least].open_calls) least = i;
  }
  if (least) next_ = *least + 1;
  return least;
}

std::optional<std::size_t> Balancer::any(std::span<const Candidate> candidates) {
  const auto usable = std::ranges::count_if(candidates, &Candidate::is_usable);
  if (usable == 0) return std::nullopt;
  random_ = mix(random_);
  std::uint32_t skip = below(static_cast<std::uint32_t>(usable), random_);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].is_usable && skip-- == 0) return i;
  }
  return std::nullopt;
}

}  // namespace rps::fleet
