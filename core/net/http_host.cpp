#include "core/net/http_host.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/beast/core/string.hpp>

#include "core/net/uri.hpp"
#include "core/number.hpp"

namespace rps::net {

namespace {

using namespace uri;
using boost::asio::ip::make_address_v4;
using boost::asio::ip::make_address_v6;

bool is_registered_name(std::string_view text) {
  return consists_of(text, [](char c) { return is_unreserved(c) || is_sub_delimiter(c); });
}

bool is_ipv6(std::string_view text) {
  boost::system::error_code failure;
  make_address_v6(text, failure);
  return !failure && !text.contains('%');
}

bool is_ipv4(std::string_view text) {
  if (text.empty() || !is_digit(text.front())) return false;
  boost::system::error_code failure;
  make_address_v4(text, failure);
  return !failure;
}

bool is_port(std::string_view text) {
  return text.empty() || parse_number<std::uint16_t>(text).has_value();
}

std::string_view without_last_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

}  // namespace

std::optional<HttpAuthority> parse_authority(std::string_view text) {
  const bool has_brackets = text.starts_with('[');
  const std::size_t end = has_brackets ? text.find(']') : std::min(text.find(':'), text.size());
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view host = text.substr(has_brackets ? 1 : 0, end - (has_brackets ? 1 : 0));
  std::string_view rest = text.substr(end + (has_brackets ? 1 : 0));
  HttpAuthority authority{.host = host, .is_address = has_brackets || is_ipv4(host)};
  if (host.empty() || !(has_brackets ? is_ipv6(host) : is_registered_name(host))) {
    return std::nullopt;
  }
  if (rest.empty()) return authority;
  if (rest.front() != ':' || !is_port(rest.substr(1))) return std::nullopt;
  authority.has_port = rest.size() > 1;
  return authority;
}

HostNames::HostNames(std::vector<std::string> names) : names_(std::move(names)) {}

bool HostNames::accept(const HttpAuthority& authority) const {
  if (authority.is_address) return true;
  const std::string_view host = without_last_dot(authority.host);
  if (boost::beast::iequals(host, "localhost")) return true;
  return std::ranges::any_of(names_, [host](const std::string& name) {
    return boost::beast::iequals(host, without_last_dot(name));
  });
}

}  // namespace rps::net
