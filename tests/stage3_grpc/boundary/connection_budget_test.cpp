#include "stage3_grpc/boundary/connection_budget.hpp"

#include <array>
#include <memory>
#include <optional>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "core/game.hpp"
#include "core/net/fd.hpp"
#include "core/server/log.hpp"
#include "core/server/metrics.hpp"
#include "stage3_grpc/connection_filters.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::rpc;
using boundary::ConnectionBudget;

TEST_CASE("A budget gives as many places as may be taken, and each again once it was given back") {
  const auto budget = std::make_shared<ConnectionBudget>(2);
  auto first = budget->take();
  const auto second = budget->take();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(budget->open() == 2);
  CHECK_FALSE(budget->take());
  first.reset();
  CHECK(budget->open() == 1);
  CHECK(budget->take());
  CHECK(budget->open() == 1);
}

TEST_CASE("Some places beyond the maximum may be asked for") {
  const auto budget = std::make_shared<ConnectionBudget>(1);
  const auto first = budget->take();
  const auto beyond = budget->take(1);
  REQUIRE(beyond);
  CHECK(budget->open() == 2);
  CHECK_FALSE(budget->take(1));
}

TEST_CASE("A place that moves is taken once") {
  const auto budget = std::make_shared<ConnectionBudget>(1);
  auto place = budget->take();
  {
    const ConnectionBudget::Place moved = std::move(*place);
    place.reset();
    CHECK(budget->open() == 1);
  }
  CHECK(budget->open() == 0);
}

TEST_CASE("The maximum can be changed while places are taken") {
  const auto budget = std::make_shared<ConnectionBudget>(2);
  auto first = budget->take();
  const auto second = budget->take();
  budget->set_max(1);
  CHECK(budget->open() == 2);
  first.reset();
  CHECK_FALSE(budget->take());
  budget->set_max(3);
  const auto third = budget->take();
  CHECK(budget->take());
}

TEST_CASE("A place may be given back after its budget's owner has gone") {
  auto budget = std::make_shared<ConnectionBudget>(1);
  const std::weak_ptr<ConnectionBudget> watched = budget;
  auto place = budget->take();
  budget.reset();
  CHECK_FALSE(watched.expired());
  place.reset();
  CHECK(watched.expired());
}

TEST_CASE("A socket's place is given back when the socket is closed") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const net::Fd other(ends[1]);
  const auto budget = std::make_shared<ConnectionBudget>(1);
  boundary::attach(
      ends[0], std::make_unique<boundary::PlaceFilter>(std::move(*budget->take()),
                                                       std::make_unique<boundary::SocketFilter>()));
  CHECK(budget->open() == 1);
  ::close(ends[0]);
  CHECK(budget->open() == 0);
}

TEST_CASE("Where filters do not work, connections are not counted and not limited") {
  const Game game{{}};
  server::Metrics metrics(game);
  server::Log log("test", {.level = server::LogLevel::off});
  const Limits limits;
  ConnectionFilters filters(limits, metrics, log.logger());
  const auto budget = std::make_shared<ConnectionBudget>(1);
  metrics.count_open_connections([budget] { return budget->open(); });
  CHECK(metrics.text().contains("\nrps_connections 0\n"));

  filters.start([](net::Fd) {}, *budget);  // Closed past every filter.
  CHECK_FALSE(budget->open());
  CHECK_FALSE(metrics.text().contains("\nrps_connections "));
  for (int i = 0; i < 3; ++i) {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const net::Fd one(ends[0]);
    const net::Fd other(ends[1]);
    auto place = budget->take();
    REQUIRE(place);
    filters.attach(one.get(), std::move(*place));
  }
}
