#include "stage2_jsonrpc/eviction_order.hpp"

#include <chrono>
#include <deque>
#include <optional>

#include "tests/catch.hpp"

namespace rps::jsonrpc {
namespace {

using namespace std::chrono_literals;

constexpr Clock::time_point start{};

// A connection that is idle since a given second, or in use.
struct FakeConnection {
  std::optional<Clock::time_point> idle_since(Clock::time_point) const { return since; }

  std::optional<Clock::time_point> since;
  EvictionOrder<FakeConnection>::Position position{};
};

class Connections {
 public:
  FakeConnection& silent(std::optional<std::chrono::seconds> since) {
    FakeConnection& connection = connections_.emplace_back();
    if (since) connection.since = start + *since;
    connection.position = order_.add(connection);
    return connection;
  }

  FakeConnection& sender(std::optional<std::chrono::seconds> since) {
    FakeConnection& connection = silent(since);
    order_.note_first_message(connection.position);
    return connection;
  }

  // The connection that gives way; it is removed.
  FakeConnection* make_room() {
    FakeConnection* const connection = order_.choose(start + 1h);
    if (connection != nullptr) order_.remove(connection->position);
    return connection;
  }

 private:
  std::deque<FakeConnection> connections_;
  EvictionOrder<FakeConnection> order_;
};

TEST_CASE("no connection gives way where there is none") {
  CHECK(Connections().make_room() == nullptr);
}

TEST_CASE(
    "a connection that has sent no message gives way before one that has, and the oldest first") {
  Connections all;
  FakeConnection& sender = all.sender(1s);
  FakeConnection& first = all.silent(2s);
  FakeConnection& second = all.silent(3s);
  CHECK(all.make_room() == &first);
  CHECK(all.make_room() == &second);
  CHECK(all.make_room() == &sender);
  CHECK(all.make_room() == nullptr);
}

TEST_CASE("of those that have sent a message the one that is idle for the longest time gives way") {
  Connections all;
  FakeConnection& middle = all.sender(20s);
  FakeConnection& last = all.sender(30s);
  FakeConnection& first = all.sender(10s);
  CHECK(all.make_room() == &first);
  first.since = start + 5s;  // Has gone, and counts no more.
  CHECK(all.make_room() == &middle);
  CHECK(all.make_room() == &last);
}

TEST_CASE("a connection in use is passed over, and gives way once it is idle") {
  Connections all;
  FakeConnection& busy_silent = all.silent(std::nullopt);
  FakeConnection& busy = all.sender(std::nullopt);
  FakeConnection& idle_silent = all.silent(2s);
  FakeConnection& idle = all.sender(1s);
  CHECK(all.make_room() == &idle_silent);
  CHECK(all.make_room() == &idle);
  CHECK(all.make_room() == nullptr);
  busy.since = start + 3s;
  busy_silent.since = start + 4s;
  CHECK(all.make_room() == &busy_silent);
  CHECK(all.make_room() == &busy);
}

TEST_CASE("one choice looks at a bounded number, and the next one at others") {
  Connections all;
  for (std::size_t i = 0; i < EvictionOrder<FakeConnection>::looks_max; ++i) {
    all.silent(std::nullopt);
    all.sender(std::nullopt);
  }
  FakeConnection& silent = all.silent(1s);
  FakeConnection& sender = all.sender(1s);
  CHECK(all.make_room() == nullptr);
  CHECK(all.make_room() == &silent);
  CHECK(all.make_room() == &sender);
}

}  // namespace
}  // namespace rps::jsonrpc
