#include "core/net/http_target.hpp"

#include <algorithm>
#include <cstddef>
#include <ostream>  // Which the string view of Boost needs, but does not include.
#include <utility>

#include <boost/beast/core/string.hpp>

#include "core/net/http_host.hpp"
#include "core/net/uri.hpp"

namespace rps::net {

namespace {

using HttpStatus = boost::beast::http::status;
using HttpVerb = boost::beast::http::verb;
using namespace uri;

bool is_path_or_query(std::string_view text) {
  return consists_of(text, [](char c) {
    return is_unreserved(c) || is_sub_delimiter(c) || std::string_view(":@/?").contains(c);
  });
}

std::string normal_path(std::string_view path) {
  std::string out;
  for (std::size_t at = 0; at < path.size(); ++at) {
    const auto decoded = decode_escape(path.substr(at));
    if (decoded && is_unreserved(*decoded)) {
      out.push_back(*decoded);
      at += 2;
    } else {
      out.push_back(path[at]);
    }
  }
  return out;
}

// `text` is a path with its query, and may be empty: the path of "http://host" is "/".
std::expected<std::string, HttpStatus> parse_path(std::string_view text) {
  if (!is_path_or_query(text)) return std::unexpected(HttpStatus::bad_request);
  const std::string_view path = text.substr(0, text.find('?'));
  return path.empty() ? "/" : normal_path(path);
}

std::expected<HttpTarget, HttpStatus> parse_absolute(HttpVerb method, std::string_view target) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos || !is_letter(target.front()) ||
      !std::ranges::all_of(target.substr(0, colon), [](char c) {
        return is_letter(c) || is_digit(c) || std::string_view("+-.").contains(c);
      })) {
    return std::unexpected(HttpStatus::bad_request);
  }
  std::string_view rest = target.substr(colon + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  rest.remove_prefix(authority.size());
  auto path = parse_path(rest);
  if (!path || !parse_authority(authority)) return std::unexpected(HttpStatus::bad_request);
  if (!boost::beast::iequals(target.substr(0, colon), "http")) {
    return std::unexpected(HttpStatus::misdirected_request);
  }
  if (method == HttpVerb::options && rest.empty()) path = "*";  // RFC 9112, section 3.2.4.
  return HttpTarget{.path = *std::move(path), .authority = authority};
}

}  // namespace

std::expected<HttpTarget, HttpStatus> parse_target(HttpVerb method, std::string_view target) {
  if (method == HttpVerb::connect) {
    const auto authority = parse_authority(target);
    const bool is_formed = authority && authority->has_port;
    return std::unexpected(is_formed ? HttpStatus::not_implemented : HttpStatus::bad_request);
  }
  if (target == "*" && method == HttpVerb::options) return HttpTarget{.path = "*"};
  if (!target.starts_with('/')) return parse_absolute(method, target);
  auto path = parse_path(target);
  if (!path) return std::unexpected(path.error());
  return HttpTarget{.path = *std::move(path)};
}

}  // namespace rps::net
