#include "core/fleet/balancer.hpp"

#include <map>
#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace rps::fleet {
namespace {

std::vector<Candidate> fleet_of(std::size_t count) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < count; ++i) {
    candidates.push_back(
        {.identity = identity_of("jsonrpc://10.0.0." + std::to_string(i) + ":7000"),
         .is_usable = true});
  }
  return candidates;
}

std::uint64_t session(int number) {
  return identity_of("session-" + std::to_string(number));
}

TEST_CASE("Every balance has a name that is read back") {
  for (const Balance balance : all_balances) CHECK(parse_balance(to_string(balance)) == balance);
  CHECK_FALSE(parse_balance("best"));
}

TEST_CASE("No balance chooses an instance that is not usable, and none where there is none") {
  for (const Balance balance : all_balances) {
    CAPTURE(to_string(balance));
    Balancer balancer(balance, 1);
    CHECK_FALSE(balancer.pick({}, session(1)));
    auto candidates = fleet_of(5);
    for (Candidate& candidate : candidates) candidate.is_usable = false;
    CHECK_FALSE(balancer.pick(candidates, session(1)));
    candidates[3].is_usable = true;
    for (int i = 0; i < 20; ++i) {
      CHECK(balancer.pick(candidates, session(i)) == 3U);
      CHECK(balancer.pick(candidates, std::nullopt) == 3U);
    }
  }
}

TEST_CASE("Round robin takes turns and leaves out who is not usable") {
  Balancer balancer(Balance::round_robin, 1);
  auto candidates = fleet_of(3);
  candidates[1].is_usable = false;
  const std::vector<std::size_t> expected{0, 2, 0, 2, 0};
  for (const std::size_t index : expected) CHECK(balancer.pick(candidates, {}) == index);
  candidates[1].is_usable = true;
  CHECK(balancer.pick(candidates, {}) == 1U);
  candidates.resize(1);
  CHECK(balancer.pick(candidates, {}) == 0U);
}

TEST_CASE("Least request takes the one with the fewest open calls, and equals in turns") {
  Balancer balancer(Balance::least_request, 1);
  auto candidates = fleet_of(3);
  std::map<std::size_t, int> counts;
  for (int i = 0; i < 30; ++i) ++counts[*balancer.pick(candidates, {})];
  CHECK(counts == std::map<std::size_t, int>{{0, 10}, {1, 10}, {2, 10}});
  candidates[0].open_calls = 5;
  candidates[1].open_calls = 4;
  candidates[2].open_calls = 6;
  for (int i = 0; i < 5; ++i) CHECK(balancer.pick(candidates, {}) == 1U);
  candidates[1].is_usable = false;
  CHECK(balancer.pick(candidates, {}) == 0U);
}

TEST_CASE("Random reaches all that are usable, about equally, and repeats with its seed") {
  auto candidates = fleet_of(4);
  candidates[2].is_usable = false;
  std::map<std::size_t, int> counts;
  Balancer balancer(Balance::random, 7);
  Balancer same(Balance::random, 7);
  for (int i = 0; i < 3000; ++i) {
    const auto picked = balancer.pick(candidates, {});
    REQUIRE(picked == same.pick(candidates, {}));
    ++counts[*picked];
  }
  CHECK(counts.size() == 3);
  for (const auto& [index, count] : counts) CHECK(std::abs(count - 1000) < 150);
}

TEST_CASE("Hash keeps a session where it is and spreads sessions; without one it takes turns") {
  const auto candidates = fleet_of(5);
  Balancer balancer(Balance::hash, 1);
  Balancer other(Balance::hash, 2);
  std::map<std::size_t, int> counts;
  for (int i = 0; i < 5000; ++i) {
    const auto home = balancer.pick(candidates, session(i));
    REQUIRE(home == other.pick(candidates, session(i)));
    ++counts[*home];
  }
  for (const auto& [index, count] : counts) CHECK(std::abs(count - 1000) < 150);
  for (std::size_t i = 0; i < 10; ++i) CHECK(balancer.pick(candidates, {}) == i % 5);
}

TEST_CASE("An instance that goes moves only its own sessions, and they come back with it") {
  const auto before = fleet_of(5);
  auto after = before;
  after[2].is_usable = false;
  int moved = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto home = rendezvous(before, session(i));
    const auto refuge = rendezvous(after, session(i));
    if (home == 2U) {
      ++moved;
      CHECK(refuge != 2U);
    } else {
      REQUIRE(home == refuge);
    }
  }
  CHECK(moved > 100);
}

TEST_CASE("Where a session lives does not depend on the order of the list") {
  const auto candidates = fleet_of(5);
  auto turned = candidates;
  std::rotate(turned.begin(), turned.begin() + 2, turned.end());
  for (int i = 0; i < 100; ++i) {
    CHECK(candidates[*rendezvous(candidates, session(i))].identity ==
          turned[*rendezvous(turned, session(i))].identity);
  }
}

}  // namespace
}  // namespace rps::fleet
