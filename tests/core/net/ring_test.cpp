#include "core/net/ring.hpp"

#include <deque>

#include "tests/catch.hpp"

namespace rps::net {
namespace {

TEST_CASE("A ring is a queue, however it grows and turns") {
  Ring<int> ring;
  std::deque<int> same;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < round; ++i) {
      ring.push(100 * round + i);
      same.push_back(100 * round + i);
    }
    for (int i = 0; i < (round + 1) / 2; ++i) {
      REQUIRE(ring.pop() == same.front());
      same.pop_front();
    }
    REQUIRE(ring.size() == same.size());
    for (std::size_t i = 0; i < same.size(); ++i) REQUIRE(ring[i] == same[i]);
  }
  ring.clear();
  CHECK(ring.empty());
}

}  // namespace
}  // namespace rps::net
