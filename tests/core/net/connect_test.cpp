#include "core/net/connect.hpp"

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include <poll.h>

#include "core/clock.hpp"
#include "core/net/endpoint.hpp"
#include "tests/catch.hpp"
#include "tests/core/net/listening.hpp"

namespace rps::net {
namespace {

// What becomes of the attempt; at once, or when it is known.
int outcome_of(const Address& address) {
  const Fd socket = begin_connect(address);
  if (!socket) return errno;
  pollfd writable{.fd = socket.get(), .events = POLLOUT, .revents = 0};
  REQUIRE(::poll(&writable, 1, -1) == 1);
  return connect_outcome(socket);
}

TEST_CASE("Numbers are addresses, names are not") {
  CHECK(parse_address({.host = "127.0.0.1", .port = 1})->storage.ss_family == AF_INET);
  CHECK(parse_address({.host = "::1", .port = 1})->storage.ss_family == AF_INET6);
  for (const std::string host : {"localhost", "example.org", "", "127.0.0.1.1"}) {
    CAPTURE(host);
    CHECK_FALSE(parse_address({.host = host, .port = 1}));
  }
}

TEST_CASE("A look-up finds an address once, or says why there is none") {
  const auto found = look_up({.host = "127.0.0.1", .port = 1});
  REQUIRE(found);
  CHECK(found->size() == 1);
  const auto unknown = look_up({.host = "host.invalid", .port = 1});
  REQUIRE_FALSE(unknown);
  CHECK_THAT(unknown.error(), Catch::Contains("cannot resolve host.invalid port 1"));
}

TEST_CASE("A listener is reached, and where nobody listens it is said so") {
  const Bound bound;
  CHECK(outcome_of(bound.address()) == ECONNREFUSED);
  REQUIRE(::listen(bound.socket.get(), 1) == 0);
  CHECK(outcome_of(bound.address()) == 0);
}

TEST_CASE("The address of a peer is told for as long as it is connected") {
  const Listening listening;
  const Fd caller = begin_connect(listening.address());
  const Fd called = listening.accept();
  CHECK(peer_text(caller.get()) == "127.0.0.1:" + std::to_string(listening.port));
  CHECK_THAT(peer_text(called.get()), Catch::StartsWith("127.0.0.1:"));
  CHECK(peer_text(listening.socket.get()) == "a peer that has gone");
}

TEST_CASE("The outcome is not known as long as nobody answers") {
  const BlackHole hole;
  const Fd socket = begin_connect(hole.address());
  CHECK(connect_outcome(socket) == EINPROGRESS);
}

TEST_CASE("A socket that is connected to itself has reached nobody") {
  const Bound bound;
  const Address itself = bound.address();
  REQUIRE(::connect(bound.socket.get(), reinterpret_cast<const sockaddr*>(&itself.storage),
                    itself.size) == 0);
  CHECK(connect_outcome(bound.socket) == ECONNREFUSED);
}

// ---- An endpoint that is connected to with one call that waits -------------------------------

constexpr std::chrono::seconds patience{60};

// A name for these addresses.
Endpoint named(const std::vector<Address>& addresses) {
  return Endpoint({.host = "name.test", .port = 1}, [=](const HostPort&) { return addresses; });
}

TEST_CASE("An address that does not answer does not hold up the next one") {
  const BlackHole hole;
  const BlackHole another;
  const Listening listener;
  Endpoint endpoint = named({hole.address(), another.address(), listener.address()});
  const auto begin = Clock::now();
  CHECK(static_cast<bool>(endpoint.connect(patience)));
  CHECK(Clock::now() - begin >= 2 * Race::stagger);
  CHECK(endpoint.addresses().front() == listener.address());
  CHECK(static_cast<bool>(endpoint.connect(patience)));
}

TEST_CASE("An address that refuses is passed over at once") {
  const Bound closed;
  const BlackHole hole;
  const Listening listener;
  CHECK(static_cast<bool>(
      named({closed.address(), hole.address(), listener.address()}).connect(patience)));
}

TEST_CASE("What an address that does not answer would have said later is not waited for") {
  const BlackHole hole;
  const Bound closed;
  const auto why = [](Endpoint endpoint) {
    try {
      endpoint.connect(2 * Race::stagger);
    } catch (const std::system_error& error) {
      return error.code().value();
    }
    return 0;
  };
  CHECK(why(named({closed.address(), closed.address()})) == ECONNREFUSED);
  CHECK(why(named({hole.address()})) == ETIMEDOUT);
}

TEST_CASE("A name that is not found is named") {
  Endpoint unknown({.host = "name.test", .port = 1}, [](const HostPort&) -> FoundAddresses {
    return std::unexpected("no name.test");
  });
  CHECK_THROWS_WITH(unknown.connect(patience), Catch::Contains("no name.test"));
}

TEST_CASE("The address that answered last is tried first, and one that was of no use last") {
  const Bound one;
  const Bound two;
  const Bound three;
  using Addresses = std::vector<Address>;
  Endpoint endpoint = named({one.address(), two.address(), three.address()});
  CHECK_THROWS_AS(endpoint.connect(patience), std::system_error);
  endpoint.prefer(three.address());
  CHECK(endpoint.addresses() == Addresses{three.address(), one.address(), two.address()});
  endpoint.avoid(three.address());
  endpoint.avoid(three.address());
  CHECK(endpoint.addresses() == Addresses{one.address(), two.address(), three.address()});
}

}  // namespace
}  // namespace rps::net
