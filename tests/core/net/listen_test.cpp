#include "core/net/listen.hpp"

#include <string>
#include <vector>

#include "core/net/endpoint.hpp"
#include "tests/catch.hpp"

namespace rps::net {
namespace {

constexpr std::chrono::seconds patience{60};

TEST_CASE("An address is listened on once") {
  const auto sockets = listen_on({.host = "127.0.0.1", .port = 0}, PortSharing::no);
  REQUIRE(sockets.size() == 1);
  CHECK(static_cast<bool>(connect_tcp("127.0.0.1", port_of(sockets[0]), patience)));
}

std::vector<Address> addresses_of(const std::vector<std::string>& hosts, std::uint16_t port = 0) {
  std::vector<Address> addresses;
  for (const std::string& host : hosts) {
    addresses.push_back(*parse_address({.host = host, .port = port}));
  }
  return addresses;
}

const HostPort name{.host = "several", .port = 0};

TEST_CASE("A host with several addresses is listened on at each, on one port") {
  const auto sockets =
      listen_on(name, addresses_of({"127.0.0.1", "127.0.0.2", "127.0.0.3"}), PortSharing::no);
  REQUIRE(sockets.size() == 3);
  const std::uint16_t port = port_of(sockets[0]);
  for (const std::string host : {"127.0.0.1", "127.0.0.2", "127.0.0.3"}) {
    CHECK(static_cast<bool>(connect_tcp(host, port, patience)));
  }
}

// 192.0.2.1 is for documentation (RFC 5737), so no machine has it.
TEST_CASE("An address that is not of this machine is left out when there is another") {
  CHECK(listen_on(name, addresses_of({"192.0.2.1", "127.0.0.1"}), PortSharing::no).size() == 1);
  CHECK(listen_on(name, addresses_of({"127.0.0.1", "192.0.2.1"}), PortSharing::no).size() == 1);
  CHECK_THROWS_WITH(listen_on(name, addresses_of({"192.0.2.1"}), PortSharing::no),
                    Catch::Contains("several:0"));
}

TEST_CASE("A port that is taken at one of the addresses is refused") {
  const auto taken = listen_on({.host = "127.0.0.2", .port = 0}, PortSharing::no);
  const std::uint16_t port = port_of(taken[0]);
  CHECK_THROWS_WITH(
      listen_on(name, addresses_of({"127.0.0.1", "127.0.0.2"}, port), PortSharing::no),
      Catch::Contains("in use"));
}

TEST_CASE("A port that is taken, or a host that is none, is refused with its name") {
  const auto sockets = listen_on({.host = "127.0.0.1", .port = 0}, PortSharing::no);
  CHECK_THROWS_WITH(listen_on({.host = "127.0.0.1", .port = port_of(sockets[0])}, PortSharing::no),
                    Catch::Contains("cannot listen on 127.0.0.1:") && Catch::Contains("in use"));
  CHECK_THROWS_WITH(listen_on({.host = "host.invalid", .port = 0}, PortSharing::no),
                    Catch::Contains("cannot listen on host.invalid:0"));
}

}  // namespace
}  // namespace rps::net
