// The host that an HTTP request names, and the hosts for which a server answers (RFC 9110, section
// 7.2; RFC 3986, section 3.2).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rps::net {

struct HttpAuthority {
  std::string_view host;    // Without brackets; part of the text that was parsed.
  bool is_address = false;  // An IPv4 or IPv6 address.
  bool has_port = false;
};

// uri-host [ ":" port ], as in the field Host. Nothing when the text is none: an empty host, a user
// (`name@`), a character that no host has, brackets around no IPv6 address, a port above 65535.
std::optional<HttpAuthority> parse_authority(std::string_view text);

// The hosts for which a server answers: all IP addresses, `localhost`, and its own names.
//
// A page on a foreign site could have its name resolve to the server's address (DNS rebinding). A
// browser then takes page and server for one origin, and the page could play in its visitor's name
// and read the metrics. But its requests name the foreign site. Addresses and `localhost` cannot be
// names of a foreign site.
class HostNames {
 public:
  // `names`: without ports, in any case.
  explicit HostNames(std::vector<std::string> names);

  bool accept(const HttpAuthority& authority) const;

 private:
  std::vector<std::string> names_;
};

}  // namespace rps::net
