#include "core/net/connect.hpp"

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include <netinet/in.h>
#include <poll.h>

#include "core/clock.hpp"
#include "tests/catch.hpp"

namespace rps::net {
namespace {

// A socket that is bound to a port of the kernel's choice, and that port.
struct Bound {
  Bound() : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(socket.get(), any, size) == 0);
    REQUIRE(::getsockname(socket.get(), any, &size) == 0);
    port = ntohs(address.sin_port);
  }

  Address address() const { return *parse_address({.host = "127.0.0.1", .port = port}); }

  Fd socket;
  std::uint16_t port = 0;
};

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

TEST_CASE("A listener is reached, and where nobody listens it is said so") {
  const Bound bound;
  CHECK(outcome_of(bound.address()) == ECONNREFUSED);
  REQUIRE(::listen(bound.socket.get(), 1) == 0);
  CHECK(outcome_of(bound.address()) == 0);
}

TEST_CASE("A socket that is connected to itself has reached nobody") {
  const Bound bound;
  const Address itself = bound.address();
  REQUIRE(::connect(bound.socket.get(), reinterpret_cast<const sockaddr*>(&itself.storage),
                    itself.size) == 0);
  CHECK(connect_outcome(bound.socket) == ECONNREFUSED);
}

// A listener that takes no connection: its queue is full, so the kernel drops what further callers
// send. As a caller sees it, nobody is there.
struct BlackHole : Bound {
  BlackHole() {
    REQUIRE(::listen(socket.get(), 0) == 0);
    for (int i = 0; i < 4; ++i) queued.push_back(begin_connect(address()));
  }

  std::vector<Fd> queued;
};

struct Listening : Bound {
  Listening() { REQUIRE(::listen(socket.get(), 4) == 0); }
};

constexpr std::chrono::seconds patience{60};

TEST_CASE("An address that does not answer does not hold up the next one") {
  const BlackHole hole;
  const BlackHole another;
  const Listening listener;
  Endpoint endpoint("three", {hole.address(), another.address(), listener.address()});
  const auto begin = Clock::now();
  CHECK(static_cast<bool>(endpoint.connect(patience)));
  CHECK(Clock::now() - begin >= 2 * Endpoint::stagger);
  CHECK(static_cast<bool>(endpoint.connect(patience)));
}

TEST_CASE("An address that refuses is passed over at once") {
  const Bound closed;
  const BlackHole hole;
  const Listening listener;
  Endpoint endpoint("three", {closed.address(), hole.address(), listener.address()});
  CHECK(static_cast<bool>(endpoint.connect(patience)));
}

TEST_CASE("What an address that does not answer would have said later is not waited for") {
  const BlackHole hole;
  const Bound closed;
  const auto why = [](Endpoint endpoint) {
    try {
      endpoint.connect(2 * Endpoint::stagger);
    } catch (const std::system_error& error) {
      return error.code().value();
    }
    return 0;
  };
  CHECK(why({"closed", {closed.address(), closed.address()}}) == ECONNREFUSED);
  CHECK(why({"hole", {hole.address()}}) == ETIMEDOUT);
}

TEST_CASE("A loop connects to the address that answered last, and after a failure to the next") {
  const Bound closed;
  const Listening listener;
  Endpoint endpoint("two", {closed.address(), listener.address()});
  CHECK(endpoint.address_count() == 2);
  REQUIRE(static_cast<bool>(endpoint.connect(patience)));
  const auto outcome = [&] {
    const Fd socket = endpoint.begin_connect();
    if (!socket) return errno;
    pollfd writable{.fd = socket.get(), .events = POLLOUT, .revents = 0};
    REQUIRE(::poll(&writable, 1, -1) == 1);
    return connect_outcome(socket);
  };
  CHECK(outcome() == 0);
  endpoint.try_next();
  CHECK(outcome() == ECONNREFUSED);
  endpoint.try_next();
  CHECK(outcome() == 0);
}

}  // namespace
}  // namespace rps::net
