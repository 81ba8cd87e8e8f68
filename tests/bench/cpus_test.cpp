#include "bench/machine/cpus.hpp"

#include <sstream>

#include <unistd.h>

#include "bench/machine/machine_cpu.hpp"
#include "tests/catch.hpp"

using rps::machine::plan_cpus;

TEST_CASE("server and load get different CPUs when there are two") {
  const auto plan = plan_cpus({0, 1}, {}, {});
  REQUIRE(plan);
  CHECK(plan->server == 0);
  CHECK(plan->load == 1);
  CHECK_FALSE(plan->shared());
}

TEST_CASE("one CPU is shared, and says so") {
  const auto plan = plan_cpus({3}, {}, {});
  REQUIRE(plan);
  CHECK(plan->shared());
  CHECK(plan->server == 3);
}

TEST_CASE("what was asked for is taken, or refused") {
  CHECK(plan_cpus({0, 1, 2}, 2, 0)->server == 2);
  CHECK(plan_cpus({0, 1}, 1, 1)->shared());
  CHECK_FALSE(plan_cpus({0, 1}, 2, {}));
  CHECK_FALSE(plan_cpus({0, 1}, {}, -1));
}

TEST_CASE("a process that does not exist cannot be pinned") {
  CHECK_FALSE(rps::machine::pin_process(0x3fffffff, 0));
}

TEST_CASE("busy time is everything but idle and waiting for disks, of the CPUs asked for") {
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::istringstream stat(
      "cpu  999 999 999 999 999 999 999 999 0 0\n"
      "cpu0 10 1 20 5000 300 2 3 4 0 0\n"
      "cpu1 100 0 0 5000 300 0 0 0 0 0\n"
      "cpu10 7000 0 0 0 0 0 0 0 0 0\n"
      "intr 12345\n");
  CHECK(rps::machine::busy_seconds({0, 1}, stat) == Approx(140 / ticks));
  std::istringstream none("");
  CHECK(rps::machine::busy_seconds({0}, none) == 0);
}
