#include "stage3_grpc/chain/rate_limit.hpp"

#include <chrono>
#include <memory>
#include <string>

#include "core/limits.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/chain/fake_transport.hpp"

namespace rps::rpc::chain {
namespace {

using namespace std::chrono_literals;

struct Limited {
  Limited() { transport.address = "ipv4:10.0.0.1:1"; }

  // Whether a message of the caller passes, at a time after the start.
  bool passes(CallInfo& call, Clock::duration after = {}) {
    call.began_at = Clock::time_point(1000s) + after;
    refusal = link.begin(call);
    return !refusal;
  }
  bool passes(const std::string& address, Clock::duration after = {}) {
    transport.address = address;
    CallInfo call = transport.call();
    const bool has_passed = passes(call, after);
    link.end_call(call);
    return has_passed;
  }

  const Game game{{.seed = 1}};
  server::Metrics metrics{game};
  RateLimit link{metrics, 7};
  FakeTransport transport;
  std::optional<Refusal> refusal;
};

TEST_CASE("An address has its burst and then its rate, and is told when to come again") {
  Limited limited;
  CHECK(limited.link.configure({.calls_per_second_max = 2, .calls_burst_max = 3}));
  for (int i = 0; i < 3; ++i) CHECK(limited.passes("ipv4:10.0.0.1:1"));
  CHECK_FALSE(limited.passes("ipv4:10.0.0.1:2"));  // Another port is the same address.
  REQUIRE(limited.refusal);
  CHECK(limited.refusal->error == Error::overloaded);
  CHECK(limited.refusal->retry_after_ms == 500);
  CHECK(limited.passes("ipv4:10.0.0.2:1"));
  CHECK(limited.passes("ipv4:10.0.0.1:1", 500ms));
  CHECK_FALSE(limited.passes("ipv4:10.0.0.1:1", 500ms));
  CHECK(limited.metrics.text().contains("rps_calls_refused_total{reason=\"rate\"} 2\n"));
}

TEST_CASE("A caller with an identity has a bucket of its own at every address") {
  Limited limited;
  limited.link.configure({.calls_per_second_max = 1, .calls_burst_max = 1});
  CallInfo call = limited.transport.call();
  call.identity = Identity{.owner = nullptr, .name = "ann", .allowed = Operations::all()};
  CHECK(limited.passes(call));
  limited.transport.address = "ipv4:10.0.0.9:1";
  CHECK_FALSE(limited.passes(call));
  call.identity->name = "bob";
  CHECK(limited.passes(call));
  CHECK(limited.transport.peers_asked == 0);
  CHECK(limited.passes("ipv4:10.0.0.1:1"));
}

TEST_CASE("The rate may change, and end, while calls come") {
  Limited limited;
  limited.link.configure({.calls_per_second_max = 1, .calls_burst_max = 1});
  CHECK(limited.passes("ipv4:10.0.0.1:1"));
  CHECK_FALSE(limited.passes("ipv4:10.0.0.1:1"));
  limited.link.configure({.calls_per_second_max = 1, .calls_burst_max = 2});
  CHECK(limited.passes("ipv4:10.0.0.1:1"));
  CHECK_FALSE(limited.link.configure({}));
  CHECK(limited.passes("ipv4:10.0.0.1:1"));
}

TEST_CASE("So many calls may be in progress, and one more may not") {
  Limited limited;
  CHECK(limited.link.configure({.calls_in_progress_max = 2}));
  CallInfo first = limited.transport.call();
  CallInfo second = limited.transport.call();
  CallInfo third = limited.transport.call();
  CHECK(limited.passes(first));
  CHECK(limited.passes(second));
  CHECK(limited.passes(second));  // A stream's next message takes no further place.
  CHECK_FALSE(limited.passes(third));
  CHECK(limited.refusal->error == Error::overloaded);
  CHECK(limited.refusal->retry_after_ms == limits::retry_after_ms);
  CHECK(limited.metrics.text().contains("rps_calls_refused_total{reason=\"in_progress\"} 1\n"));
  limited.link.end_call(third);  // It had no place to give back.
  CHECK_FALSE(limited.passes(third));
  limited.link.end_call(first);
  CHECK(limited.passes(third));
}

TEST_CASE("A place is given back although the limit has gone meanwhile") {
  Limited limited;
  limited.link.configure({.calls_in_progress_max = 1});
  CallInfo first = limited.transport.call();
  CHECK(limited.passes(first));
  limited.link.configure({});
  limited.link.end_call(first);
  limited.link.configure({.calls_in_progress_max = 1});
  CallInfo second = limited.transport.call();
  CHECK(limited.passes(second));
}

TEST_CASE("An address is known without its port, one of IPv6 by its network") {
  const auto same = [](const std::string& a, const std::string& b) {
    return address_key(a, 7) == address_key(b, 7);
  };
  CHECK(same("ipv4:10.0.0.1:1", "ipv4:10.0.0.1:2"));
  CHECK_FALSE(same("ipv4:10.0.0.1:1", "ipv4:10.0.0.2:1"));
  CHECK(same("ipv6:%5B2001:db8::1%5D:1", "ipv6:%5B2001:db8::ffff:2%5D:2"));
  CHECK_FALSE(same("ipv6:%5B2001:db8::1%5D:1", "ipv6:%5B2001:db8:0:1::1%5D:1"));
  CHECK(same("ipv6:%5Bfe80::1%25eth0%5D:1", "ipv6:%5Bfe80::2%25eth1%5D:1"));
  CHECK(same("ipv6:%5B::ffff:10.0.0.1%5D:1", "ipv6:%5B::ffff:10.0.0.1%5D:2"));
  CHECK_FALSE(same("ipv6:%5B::ffff:10.0.0.1%5D:1", "ipv6:%5B::ffff:10.0.0.2%5D:1"));
  for (const char* const text : {"", "ipv4:", "ipv4:x:1", "ipv6:%5B", "ipv6:%5Bx%5D:1"}) {
    CHECK(same(text, text));
    CHECK_FALSE(same(text, "unix:/a"));
  }
  CHECK(address_key("ipv4:10.0.0.1:1", 7) != address_key("ipv4:10.0.0.1:1", 8));
}

TEST_CASE("A flood of addresses takes no more memory and locks nobody out") {
  Limited limited;
  RateLimit small(limited.metrics, 7, 4);  // 32 callers.
  small.configure({.calls_per_second_max = 1, .calls_burst_max = 1});
  for (int i = 0; i < 1'000; ++i) {
    limited.transport.address =
        "ipv4:10.1." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ":1";
    CallInfo call = limited.transport.call();
    call.began_at = Clock::time_point(1000s);
    CHECK_FALSE(small.begin(call));
  }
  CHECK(limited.metrics.text().contains("rps_rate_buckets_evicted_total 9"));  // 900 and more.
}

}  // namespace
}  // namespace rps::rpc::chain
