#include "bench/load/relay.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/net/endpoint.hpp"
#include "core/net/fd.hpp"
#include "core/net/listen.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::seconds patience{20};

void await_input(const net::Fd& fd) {
  pollfd watched{.fd = fd.get(), .events = POLLIN, .revents = 0};
  REQUIRE(::poll(&watched, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) == 1);
}

// The next `size` bytes, or those up to the end.
std::string read(const net::Fd& fd, std::size_t size) {
  std::string text;
  while (text.size() < size) {
    await_input(fd);
    std::string some(size - text.size(), '\0');
    const ssize_t count = ::read(fd.get(), some.data(), some.size());
    if (count <= 0) break;
    text.append(some, 0, static_cast<std::size_t>(count));
  }
  return text;
}

void write(const net::Fd& fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::send(fd.get(), text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (count > 0) done += static_cast<std::size_t>(count);
    if (count <= 0) std::this_thread::sleep_for(1ms);
  }
}

bool has_input(const net::Fd& fd) {
  pollfd watched{.fd = fd.get(), .events = POLLIN, .revents = 0};
  return ::poll(&watched, 1, 0) == 1;
}

// A server, and a client that reached it through a relay.
struct Relayed {
  explicit Relayed(Clock::duration delay)
      : listener(std::move(
            net::listen_on({.host = "127.0.0.1", .port = 0}, net::PortSharing::no).front())),
        relay(std::make_unique<load::Relay>(
            HostPort{.host = "127.0.0.1", .port = net::port_of(listener)}, delay)) {
    client = net::connect_tcp(relay->address().host, relay->address().port, patience);
    server = accept();
  }

  net::Fd accept() const {
    await_input(listener);
    return net::Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK));
  }

  net::Fd listener;
  std::unique_ptr<load::Relay> relay;
  net::Fd client, server;
};

}  // namespace

TEST_CASE("what a server sends is held back for the delay, what a client sends is not") {
  constexpr auto delay = 300ms;
  const Relayed relayed(delay);
  write(relayed.client, "ping");
  CHECK(read(relayed.server, 4) == "ping");
  const Clock::time_point sent_at = Clock::now();
  write(relayed.server, "pong");
  CHECK(read(relayed.client, 4) == "pong");
  CHECK(Clock::now() - sent_at >= delay);
}

TEST_CASE("answers are held back side by side, not one after the other") {
  constexpr auto delay = 200ms;
  const Relayed relayed(delay);
  for (int i = 0; i < 100; ++i) {
    write(relayed.client, "?");
    CHECK(read(relayed.server, 1) == "?");
    write(relayed.server, "!");
  }
  CHECK(read(relayed.client, 100) == std::string(100, '!'));  // 20 s, one after the other.
}

TEST_CASE("all bytes pass in their order, whatever their number") {
  const Relayed relayed(1ms);
  std::string text;
  while (text.size() < 5'000'000) text += std::to_string(text.size()) + ' ';
  for (const auto& [from, to] :
       {std::pair(&relayed.client, &relayed.server), std::pair(&relayed.server, &relayed.client)}) {
    const std::jthread writer([&] { write(*from, text); });
    CHECK(read(*to, text.size()) == text);
  }
}

TEST_CASE("the end of either side reaches the other one behind what it has sent") {
  Relayed relayed(50ms);
  write(relayed.server, "bye");
  relayed.server = net::Fd();
  CHECK(read(relayed.client, 100) == "bye");

  relayed.client =
      net::connect_tcp(relayed.relay->address().host, relayed.relay->address().port, patience);
  relayed.server = relayed.accept();
  relayed.client = net::Fd();
  CHECK(read(relayed.server, 100).empty());
}

TEST_CASE("a relay closes its connections at its end, and those that no server takes") {
  Relayed relayed(1h);
  write(relayed.server, "too late");
  CHECK_FALSE(has_input(relayed.client));
  relayed.relay.reset();
  CHECK(read(relayed.client, 100).empty());
  CHECK(read(relayed.server, 100).empty());

  const HostPort nobody{.host = "127.0.0.1", .port = 1};
  const load::Relay to_nobody(nobody, 1ms);
  const net::Fd client =
      net::connect_tcp(to_nobody.address().host, to_nobody.address().port, patience);
  CHECK(read(client, 100).empty());
}
