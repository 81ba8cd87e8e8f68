#include "core/url.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

#include "core/number.hpp"

namespace rps {

namespace {

std::unexpected<std::string> error(std::string_view what, std::string_view text) {
  return std::unexpected(std::string(what) + ": '" + std::string(text) + "'");
}

constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_scheme(std::string_view text) {
  return !text.empty() && is_lower(text.front()) && std::ranges::all_of(text, [](char c) {
    return is_lower(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
}

// Only these clients can use a list; with any other scheme a comma is part of a wrong port.
bool may_list_addresses(std::string_view scheme) {
  return scheme == "grpc" || scheme == "grpcs";
}

// Reads "address" or "address,address,…" into `url`. The result is the error, if any.
std::optional<std::string> read_authority(std::string_view text, Url& url) {
  const bool is_list = may_list_addresses(url.scheme);
  const std::size_t end = is_list ? std::min(text.find(','), text.size()) : text.size();
  const auto first = parse_host_port(text.substr(0, end));
  if (!first) return first.error();
  url.host = first->host;
  url.port = first->port;
  for (std::size_t at = end; at < text.size();) {
    const std::size_t next = std::min(text.find(',', at + 1), text.size());
    auto address = parse_host_port(text.substr(at + 1, next - at - 1));
    if (!address) return address.error();
    url.more.push_back(*std::move(address));
    at = next;
  }
  const auto has_no_port = [](const HostPort& address) { return address.port == 0; };
  if (!url.more.empty() && (url.port == 0 || std::ranges::any_of(url.more, has_no_port))) {
    return error("each address of a list needs a port from 1 to 65535", text).error();
  }
  return std::nullopt;
}

std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || failure != std::errc{} || end != digits.data() + 2) {
      return std::nullopt;
    }
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

}  // namespace

std::optional<std::string_view> Url::find(std::string_view name) const {
  const auto found = std::ranges::find(query, name, [](const auto& pair) { return pair.first; });
  if (found == query.end()) return std::nullopt;
  return found->second;
}

std::expected<Url, std::string> parse_url(std::string_view text) {
  Url url;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || !is_scheme(text.substr(0, colon))) {
    return error("a URL begins with a scheme and a colon, as in grpc://host:port", text);
  }
  url.scheme = text.substr(0, colon);
  std::string_view rest = text.substr(colon + 1);

  std::string_view query;
  if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
    query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    if (slash > 0 || rest.empty()) {  // Else it is "///path", on this machine.
      auto failure = read_authority(rest.substr(0, slash), url);
      if (failure) return std::unexpected(*std::move(failure));
    }
    rest.remove_prefix(slash);
  }
  const auto path = decode_percent(rest);
  if (!path) return error("% must be followed by two hexadecimal digits", rest);
  url.path = *path;

  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = decode_percent(pair.substr(0, equals));
    const auto value = decode_percent(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return error("% must be followed by two hexadecimal digits", pair);
    if (name->empty()) return error("a parameter needs a name", pair);
    url.query.emplace_back(*name, *value);
  }
  return url;
}

std::expected<HostPort, std::string> parse_host_port(std::string_view text) {
  std::string_view host;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return error("']' is missing in the address", text);
    host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (host.empty()) return error("the address needs a host", text);
  if (!rest.starts_with(':')) return error("the address needs a port, as in 127.0.0.1:0", text);
  rest.remove_prefix(1);

  const auto port = parse_number<std::uint16_t>(rest);
  if (!port) return error("the port must be a number from 0 to 65535", text);
  return HostPort{.host = std::string(host), .port = *port};
}

std::string to_string(const HostPort& address) {
  const bool is_ipv6 = address.host.contains(':');
  return (is_ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace rps
