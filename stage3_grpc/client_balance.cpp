#include "stage3_grpc/client_balance.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/net/address.hpp"

namespace rps::rpc {

namespace {

// Other methods are not tried again once the server has them: what a stream has begun is state of
// one server, and the rounds of a PlayMany would be played twice.
//
// Throttling: each failure takes one of 1,000 tokens and each success gives 0.1 back; with half of
// them or fewer gRPC tries nothing again. So a lost server may fail 499 calls at once, and servers
// that fail always get a tenth more calls at most.
constexpr const char* service_config = R"({
  "loadBalancingConfig": [{"round_robin": {}}],
  "methodConfig": [{
    "name": [{"service": "rps.v1.RockPaperScissorsService", "method": "Play"},
             {"service": "rps.v1.RockPaperScissorsService", "method": "Score"}],
    "retryPolicy": {
      "maxAttempts": 4,
      "initialBackoff": "0.01s",
      "maxBackoff": "0.3s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }],
  "retryThrottling": {"maxTokens": 1000, "tokenRatio": 0.1}
})";

// gRPC's own are 1 s and 120 s: a server that was away for long would stay without calls as long.
constexpr int first_reconnect_after_ms = 200;
constexpr int reconnect_after_max_ms = 2'000;

std::vector<net::Address> look_up_all(const std::vector<HostPort>& addresses) {
  std::vector<net::Address> all;
  for (const HostPort& address : addresses) {
    const net::FoundAddresses found = net::look_up(address);
    if (!found) throw std::runtime_error(found.error());
    for (const net::Address& each : *found) {
      if (std::ranges::find(all, each) == all.end()) all.push_back(each);
    }
  }
  return all;
}

HostPort to_numbers(const net::Address& address) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&address.storage), address.size, host.data(),
                    host.size(), port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    throw std::runtime_error("an address cannot be written as text");
  }
  return parse_host_port("[" + std::string(host.data()) + "]:" + port.data()).value();
}

// The target is a URI, in which the % before an IPv6 zone is written as %25.
std::string escape_zone(std::string host) {
  const std::size_t zone = host.find('%');
  return zone == std::string::npos ? host : host.replace(zone, 1, "%25");
}

}  // namespace

std::string find_target(const std::vector<HostPort>& addresses) {
  const std::vector<net::Address> all = look_up_all(addresses);
  const auto is_ipv4 = [](const net::Address& each) { return each.storage.ss_family == AF_INET; };
  const bool is_all_ipv4 = std::ranges::all_of(all, is_ipv4);
  std::string target = is_all_ipv4 ? "ipv4:" : "ipv6:";
  for (const net::Address& each : all) {
    HostPort address = to_numbers(each);
    if (!is_all_ipv4 && is_ipv4(each)) address.host = "::ffff:" + address.host;
    address.host = escape_zone(std::move(address.host));
    if (!target.ends_with(':')) target += ',';
    target += to_string(address);
  }
  return target;
}

void balance(grpc::ChannelArguments& arguments) {
  arguments.SetServiceConfigJSON(service_config);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, first_reconnect_after_ms);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, reconnect_after_max_ms);
}

}  // namespace rps::rpc
