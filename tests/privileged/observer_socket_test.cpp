// What the programs in the kernel make of single system calls, on bare sockets of this process.
// Without the privilege it ends with exit code 4, or fails with RPS_REQUIRE_PRIVILEGED=1.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <spdlog/logger.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/net/fd.hpp"
#include "stage4_ebpf/observer.hpp"
#include "tests/catch.hpp"

namespace rps::observe {
namespace {

using net::Fd;

Observer attach_or_skip() {
  spdlog::logger log("test");
  auto observer = Observer::attach(log);
  if (observer) return std::move(*observer);
  const char* required = std::getenv("RPS_REQUIRE_PRIVILEGED");
  if (required != nullptr && std::string_view(required) == "1") FAIL(observer.error().text);
  std::printf("SKIP: needs CAP_BPF, CAP_PERFMON, BTF and the hooks: %s\n",
              observer.error().text.c_str());
  std::exit(4);
}

struct Listener {
  Fd fd{::socket(AF_INET, SOCK_STREAM, 0)};
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};

  Listener() {
    socklen_t length = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(fd.get(), generic, length) == 0);
    REQUIRE(::listen(fd.get(), 1) == 0);
    REQUIRE(::getsockname(fd.get(), generic, &length) == 0);
  }
};

// Both ends of a connection. The kernel counts for the server's end.
struct Connection {
  Fd client{::socket(AF_INET, SOCK_STREAM, 0)};
  Fd server;

  explicit Connection(const Listener& listener) {
    const auto* generic = reinterpret_cast<const sockaddr*>(&listener.address);
    REQUIRE(::connect(client.get(), generic, sizeof(listener.address)) == 0);
    server = Fd(::accept(listener.fd.get(), nullptr, nullptr));
    REQUIRE(server);
  }
};

void send_all(const Fd& to, std::size_t size) {
  REQUIRE(::send(to.get(), std::vector<char>(size).data(), size, 0) == static_cast<ssize_t>(size));
}

void receive_exactly(const Fd& from, std::size_t size) {
  std::vector<char> bytes(size);
  REQUIRE(::recv(from.get(), bytes.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size));
}

}  // namespace

TEST_CASE("a call each way is a read and a write, and the client's end is not counted") {
  const Observer observer = attach_or_skip();
  const Listener listener;
  {
    const Connection connection(listener);
    for (int i = 0; i < 100; ++i) {
      send_all(connection.client, 10);
      receive_exactly(connection.server, 10);
      send_all(connection.server, 20);
      receive_exactly(connection.client, 20);
    }
    CHECK(observer.read().counters.connections_closed == 0);
  }
  const rps_counters seen = observer.read().counters;
  CHECK(seen.reads == 100);
  CHECK(seen.read_bytes == 1000);
  CHECK(seen.writes == 100);
  CHECK(seen.write_bytes == 2000);
  CHECK(seen.listeners == 1);
  CHECK(seen.connections_opened == 1);
}

TEST_CASE("a message that the kernel takes in pieces is one write") {
  const Observer observer = attach_or_skip();
  const Listener listener;
  const Connection connection(listener);
  const int small = 64 * 1024;
  REQUIRE(::setsockopt(connection.server.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  REQUIRE(::setsockopt(connection.client.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0);
  const std::vector<char> message(4'000'000);  // More than these buffers hold.
  std::array<char, 100'000> drain{};
  std::size_t sent = 0;
  int refused = 0;
  while (sent < message.size()) {
    const ssize_t size =
        ::send(connection.server.get(), message.data() + sent, message.size() - sent, MSG_DONTWAIT);
    if (size > 0) {
      sent += static_cast<std::size_t>(size);
    } else {
      ++refused;
      REQUIRE(::recv(connection.client.get(), drain.data(), drain.size(), 0) > 0);
    }
  }
  CHECK(refused > 0);
  CHECK(observer.read().counters.writes == 1);
  CHECK(observer.read().counters.write_bytes == message.size());
}

TEST_CASE("a socket that listened before is not observed") {
  const Listener listener;
  const Observer observer = attach_or_skip();
  const Connection connection(listener);
  send_all(connection.client, 10);
  receive_exactly(connection.server, 10);
  const rps_counters seen = observer.read().counters;
  CHECK(seen.listeners == 0);
  CHECK(seen.connections_opened == 0);
  CHECK(seen.reads == 0);
}

TEST_CASE("two observers of one process do not disturb each other") {
  const Observer first = attach_or_skip();
  const Listener listener;
  {
    const Observer second = attach_or_skip();
    const Listener other;
    CHECK(second.read().counters.listeners == 1);
  }
  CHECK(first.read().counters.listeners == 2);
  const Connection connection(listener);
  CHECK(first.read().counters.connections_opened == 1);
}

}  // namespace rps::observe
