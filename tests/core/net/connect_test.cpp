#include "core/net/connect.hpp"

#include <cerrno>
#include <string>

#include <netinet/in.h>
#include <poll.h>

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

}  // namespace
}  // namespace rps::net
