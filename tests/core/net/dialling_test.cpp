// A connection that is opened in an event loop, to a server whose name is looked up by the test.
#include "core/net/dialling.hpp"

#include <atomic>
#include <latch>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "tests/catch.hpp"
#include "tests/core/net/listening.hpp"

namespace rps::net {
namespace {

using std::chrono::hours;
using Outcome = Dialling::Outcome;

constexpr std::chrono::seconds patience{60};

// A loop in which one connection is opened at a time.
class Dialler final : public EventLoop::Handler {
 public:
  Outcome dial(Endpoint& endpoint, Clock::duration time_max = patience) {
    const Clock::time_point begin = now();
    dialling_.begin(endpoint, resolver_, begin, begin + time_max);
    outcome_ = dialling_.advance(begin);
    while (outcome_ == Outcome::pending) {
      REQUIRE(now() < begin + 2 * patience);
      loop_.wait(dialling_.due() - ahead, *this);
      outcome_ = dialling_.advance(now());
    }
    return outcome_;
  }

  Address reached() { return dialling_.take().address; }
  const std::string& error() const { return dialling_.error(); }

  // By how much the time of the dialling is later.
  Clock::duration ahead{};

 private:
  Clock::time_point now() const { return Clock::now() + ahead; }
  void on_input(std::uint32_t key) override {
    if (key == Resolver::key) resolver_.acknowledge();
  }
  void on_output(std::uint32_t) override {}

  EventLoop loop_;
  Resolver resolver_{loop_};
  Dialling dialling_{loop_, 1};
  Outcome outcome_ = Outcome::pending;
};

// A name, and what looking it up finds.
class Name {
 public:
  Endpoint endpoint() {
    return Endpoint({.host = "name.test", .port = 1}, [this](const HostPort&) { return find(); });
  }

  FoundAddresses found;
  std::atomic<int> look_ups = 0;

 private:
  FoundAddresses find() {
    ++look_ups;
    return found;
  }
};

TEST_CASE("An address needs no look-up") {
  const Listening listener;
  Endpoint endpoint({.host = "127.0.0.1", .port = listener.port}, [](const HostPort&) {
    FAIL_CHECK("was looked up");
    return FoundAddresses(std::unexpected("no"));
  });
  Dialler dialler;
  CHECK(dialler.dial(endpoint) == Outcome::connected);
  CHECK(dialler.reached() == listener.address());
}

TEST_CASE("All addresses of a name are tried in a loop, too") {
  const Bound closed;
  const BlackHole hole;
  const Listening listener;
  Name name;
  name.found = std::vector{closed.address(), hole.address(), listener.address()};
  Endpoint endpoint = name.endpoint();
  Dialler dialler;
  CHECK(dialler.dial(endpoint) == Outcome::connected);
  CHECK(dialler.reached() == listener.address());
  CHECK(endpoint.addresses().front() == listener.address());
}

TEST_CASE("A server that moved is found, however short ago its name was looked up") {
  std::optional<Listening> before(std::in_place);
  const Listening after;
  Name name;
  name.found = std::vector{before->address()};
  Endpoint endpoint = name.endpoint();
  Dialler dialler;
  REQUIRE(dialler.dial(endpoint) == Outcome::connected);
  name.found = std::vector{after.address()};
  before.reset();
  CHECK(dialler.dial(endpoint) == Outcome::connected);
  CHECK(dialler.reached() == after.address());
  CHECK(name.look_ups == 2);
}

TEST_CASE("The result of a look-up is used for the connections that are opened right after it") {
  const Listening listener;
  Name name;
  name.found = std::vector{listener.address()};
  Endpoint endpoint = name.endpoint();
  CHECK_FALSE(endpoint.is_fresh(Clock::now()));
  Dialler dialler;
  REQUIRE(dialler.dial(endpoint) == Outcome::connected);
  CHECK(endpoint.is_fresh(Clock::time_point{}));
  CHECK_FALSE(endpoint.is_fresh(Clock::now() + hours(1)));
}

TEST_CASE("A look-up that failed leaves the addresses that were known") {
  const Listening listener;
  const Bound closed;
  Name name;
  name.found = std::vector{closed.address(), listener.address()};
  Endpoint endpoint = name.endpoint();
  Dialler dialler;
  REQUIRE(dialler.dial(endpoint) == Outcome::connected);
  name.found = std::unexpected("nobody knows name.test");
  dialler.ahead = 2 * Endpoint::fresh_max;
  CHECK(dialler.dial(endpoint) == Outcome::connected);
  CHECK(endpoint.complaint() == "nobody knows name.test");
  CHECK(endpoint.addresses().size() == 2);
}

TEST_CASE("A look-up that does not end holds up no connection to a known address") {
  const Listening listener;
  std::latch is_over(1);
  std::atomic<int> look_ups = 0;
  Endpoint endpoint({.host = "name.test", .port = 1}, [&](const HostPort&) {
    if (++look_ups > 1) is_over.wait();
    return FoundAddresses(std::vector{listener.address()});
  });
  Dialler dialler;
  REQUIRE(dialler.dial(endpoint) == Outcome::connected);
  dialler.ahead = 2 * Endpoint::fresh_max;
  CHECK(dialler.dial(endpoint) == Outcome::connected);
  CHECK(endpoint.is_looking_up(Clock::now()));
  is_over.count_down();
}

TEST_CASE("Why there is no connection") {
  Name name;
  Endpoint endpoint = name.endpoint();
  Dialler dialler;
  SECTION("the name is not known") {
    name.found = std::unexpected("nobody knows name.test");
    CHECK(dialler.dial(endpoint) == Outcome::failed);
    CHECK(dialler.error() == "nobody knows name.test");
  }
  SECTION("the address refuses") {
    const Bound closed;
    name.found = std::vector{closed.address()};
    CHECK(dialler.dial(endpoint) == Outcome::failed);
    CHECK(dialler.error() == "Connection refused");
  }
  SECTION("the address does not answer") {
    const BlackHole hole;
    Endpoint known({.host = "127.0.0.1", .port = hole.port});
    CHECK(dialler.dial(known, Race::stagger) == Outcome::failed);
    CHECK(dialler.error() == "Connection timed out");
  }
}

TEST_CASE("A look-up that does not end is not taken for a server that does not answer") {
  std::latch is_over(1);
  Endpoint endpoint({.host = "name.test", .port = 1}, [&](const HostPort&) -> FoundAddresses {
    is_over.wait();
    return std::unexpected("never");
  });
  Dialler dialler;
  CHECK(dialler.dial(endpoint, Race::stagger) == Outcome::failed);
  CHECK(dialler.error() == "name.test was not looked up in time");
  is_over.count_down();
}

}  // namespace
}  // namespace rps::net
