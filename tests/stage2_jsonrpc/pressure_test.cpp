// Too many calls: of one peer, and for one thread. On a clock that the test moves.
#include <cstring>

#include <netinet/in.h>

#include "core/token_bucket.hpp"
#include "stage2_jsonrpc/overload.hpp"
#include "stage2_jsonrpc/peer_limits.hpp"
#include "tests/catch.hpp"

namespace rps::jsonrpc {
namespace {

using namespace std::chrono_literals;

constexpr Clock::time_point start{1000s};

sockaddr_storage ipv4(std::uint32_t host, std::uint16_t port) {
  sockaddr_storage storage{};
  const sockaddr_in address{
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(host)}};
  std::memcpy(&storage, &address, sizeof address);
  return storage;
}

sockaddr_storage ipv6(std::uint8_t network, std::uint8_t host) {
  sockaddr_storage storage{};
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr.s6_addr[0] = 0x20;
  address.sin6_addr.s6_addr[7] = network;
  address.sin6_addr.s6_addr[15] = host;
  std::memcpy(&storage, &address, sizeof address);
  return storage;
}

TEST_CASE("Connections of one address share a bucket, which outlives them until it is full") {
  const Limits limits{.calls_per_second_max = 1, .calls_burst_max = 2};
  PeerLimits peers(limits, 7);
  const auto first = peers.bucket_of(ipv4(0x7f000001, 1));
  REQUIRE(first);
  CHECK(first == peers.bucket_of(ipv4(0x7f000001, 2)));
  CHECK(first != peers.bucket_of(ipv4(0x7f000002, 1)));
  CHECK(peers.bucket_of(ipv6(1, 1)) == peers.bucket_of(ipv6(1, 2)));
  CHECK(peers.bucket_of(ipv6(1, 1)) != peers.bucket_of(ipv6(2, 1)));

  const std::weak_ptr<TokenBucket> known = first;
  auto held = first;
  CHECK(held->take({1, 2}, start) == 0ns);
  held.reset();
  const_cast<std::shared_ptr<TokenBucket>&>(first).reset();
  peers.sweep(start);
  CHECK(!known.expired());
  CHECK(peers.bucket_of(ipv4(0x7f000001, 3)) == known.lock());
  peers.sweep(start + 1s);
  CHECK(known.expired());
}

TEST_CASE("Without a rate there are no buckets") {
  const Limits limits;
  CHECK(!PeerLimits(limits, 7).bucket_of(ipv4(1, 1)));
}

TEST_CASE("A thread is overloaded when its passes stay too long, and no longer after a short one") {
  Overload overload(10ms);
  const auto pass = [&](Clock::duration took) {
    overload.pass_took(took);
    return overload.is_overloaded();
  };
  CHECK(!pass(99ms));  // One long pass is a burst.
  CHECK(!pass(10ms));
  for (int i = 0; i < 8; ++i) CHECK(!pass(11ms));
  CHECK(!pass(11ms));  // 99 ms of long passes; at 100 it is enough.
  CHECK(pass(11ms));
  CHECK(pass(11ms));
  CHECK(!pass(10ms));
  CHECK(!pass(11ms));
}

}  // namespace
}  // namespace rps::jsonrpc
