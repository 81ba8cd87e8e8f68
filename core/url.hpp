// The URLs that name a server: `jsonrpc://127.0.0.1:7000?codec=json`, `grpc://[::1]:50051`,
// `cli:build/release/rps-cli?house=fair&seed=7`, `inproc:`.
//
//   url       = scheme ":" ( "//" authority [ path ] | [ "//" ] [ path ] ) [ "?" query ]
//   authority = address *( "," address )   several only with the schemes grpc and grpcs
//   address   = host ":" port              host may be an IPv6 address in brackets
//   query     = name [ "=" value ] *( "&" name [ "=" value ] )
//
// A subset of RFC 3986: no user, no fragment; %XX is decoded in path and query.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rps {

// A "host:port" or "[ipv6]:port" alone, as in --listen.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

struct Url {
  std::string scheme;
  std::string host;            // Without brackets; empty when there is no authority.
  std::uint16_t port = 0;      // 0 only when there is no authority, or when a server may choose.
  std::vector<HostPort> more;  // The addresses after the first one. Ports from 1 on.
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;  // In the order given.

  // The value of the first `name` in the query.
  std::optional<std::string_view> find(std::string_view name) const;
};

// The error is a sentence for the person who typed it.
std::expected<Url, std::string> parse_url(std::string_view text);

std::expected<HostPort, std::string> parse_host_port(std::string_view text);

// The inverse: puts brackets around an IPv6 address.
std::string to_string(const HostPort& address);

}  // namespace rps
