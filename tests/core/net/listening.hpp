// Sockets on 127.0.0.1 as a caller may meet them: one that refuses, one that listens, and one that
// does not answer.
#pragma once

#include <cstdint>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include "core/net/connect.hpp"
#include "core/net/fd.hpp"
#include "tests/catch.hpp"

namespace rps::net {

// A socket that is bound to a port of the kernel's choice, and that port. It refuses callers.
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

struct Listening : Bound {
  Listening() { REQUIRE(::listen(socket.get(), 16) == 0); }

  // A caller that has connected; waits for it.
  Fd accept() const { return Fd(::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC)); }
};

// A listener that takes no connection: its queue is full, so the kernel drops what further callers
// send. As a caller sees it, nobody is there.
struct BlackHole : Bound {
  BlackHole() {
    REQUIRE(::listen(socket.get(), 0) == 0);
    for (int i = 0; i < 4; ++i) queued.push_back(begin_connect(address()));
  }

  std::vector<Fd> queued;
};

}  // namespace rps::net
