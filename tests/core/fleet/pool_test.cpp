#include "core/fleet/pool.hpp"

#include <vector>

#include "tests/catch.hpp"

namespace rps::fleet {
namespace {

using std::chrono::seconds;
using Kind = Pool::Task::Kind;

constexpr Clock::time_point start{std::chrono::hours(1)};

// What is to be done, in order.
std::vector<std::uint32_t> tasks(Pool& pool, Clock::time_point now, Kind kind) {
  std::vector<std::uint32_t> connections;
  while (const auto task = pool.next_task(now)) {
    CHECK(task->kind == kind);
    connections.push_back(task->connection);
  }
  return connections;
}

using Connections = std::vector<std::uint32_t>;

TEST_CASE("The pool's figures are the articles'") {
  const PoolOptions options;
  CHECK(options.idle_max == 20);
  CHECK(options.idle_time_max == seconds(30));
  CHECK(options.probe_period == seconds(60));
}

TEST_CASE("The connection used last is used next, of the instance that is asked for") {
  Pool pool({});
  pool.put(1, 0, start);
  pool.put(2, 1, start);
  pool.put(3, 0, start);
  CHECK(pool.take(0) == 3U);
  CHECK(pool.take(0) == 1U);
  CHECK_FALSE(pool.take(0));
  CHECK(pool.take(1) == 2U);
  CHECK(pool.size() == 0);
}

TEST_CASE("A connection that is removed is not found again, and removing it twice is nothing") {
  Pool pool({});
  pool.put(1, 0, start);
  pool.remove(1);
  pool.remove(1);
  CHECK_FALSE(pool.take(0));
}

TEST_CASE("At the limit all stay; one past it and the longest idle goes, but not at once") {
  Pool pool({.idle_max = 3, .surplus_time_max = seconds(1)});
  for (std::uint32_t i = 0; i < 3; ++i) pool.put(i, i, start);
  CHECK_FALSE(pool.next_task(start + seconds(1)));
  pool.put(3, 0, start + seconds(1));
  CHECK(tasks(pool, start + seconds(1), Kind::close) == Connections{0});
  CHECK(pool.size() == 3);
  pool.take(1);
  pool.put(1, 1, start + seconds(2));
  pool.put(4, 0, start + seconds(2));
  pool.take(2);
  pool.put(2, 2, start + seconds(2));
  CHECK(tasks(pool, start + seconds(2), Kind::close) == Connections{3});
  pool.put(5, 0, start + seconds(2));
  CHECK_FALSE(pool.next_task(start + seconds(3) - Clock::duration(1)));
  CHECK(tasks(pool, start + seconds(3), Kind::close) == Connections{1});
}

TEST_CASE("A connection is closed when it was idle for its time, and not before") {
  Pool pool({});
  pool.put(1, 0, start);
  pool.put(2, 0, start + seconds(1));
  CHECK_FALSE(pool.next_task(start + seconds(30) - Clock::duration(1)));
  CHECK(tasks(pool, start + seconds(30), Kind::close) == Connections{1});
  CHECK(tasks(pool, start + seconds(31), Kind::close) == Connections{2});
}

TEST_CASE("Being used makes it young again") {
  Pool pool({});
  pool.put(1, 0, start);
  CHECK(pool.take(0) == 1U);
  pool.put(1, 0, start + seconds(29));
  CHECK_FALSE(pool.next_task(start + seconds(58)));
  CHECK(tasks(pool, start + seconds(59), Kind::close) == Connections{1});
}

TEST_CASE("An idle connection is probed once a period and stays") {
  Pool pool({.idle_time_max = seconds(1000), .probe_period = seconds(60)});
  pool.put(1, 0, start);
  pool.put(2, 0, start + seconds(10));
  CHECK_FALSE(pool.next_task(start + seconds(60) - Clock::duration(1)));
  CHECK(tasks(pool, start + seconds(60), Kind::probe) == Connections{1});
  CHECK(tasks(pool, start + seconds(70), Kind::probe) == Connections{2});
  CHECK_FALSE(pool.next_task(start + seconds(119)));
  CHECK(tasks(pool, start + seconds(130), Kind::probe) == Connections{1, 2});
  CHECK(pool.size() == 2);
}

}  // namespace
}  // namespace rps::fleet
