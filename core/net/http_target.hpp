// The target of an HTTP request (RFC 9110, sections 4.2 and 7.1; RFC 9112, section 3.2).
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>

namespace rps::net {

struct HttpTarget {
  // "*", or begins with a slash; without the query. Escapes of letters, digits and "-._~" are
  // decoded, because they are equivalent to the characters themselves (RFC 3986, section 6.2.2.2);
  // all others are kept.
  std::string path;
  // Of a target in absolute form: it replaces Host. Empty for one that begins with a slash.
  std::string_view authority;
};

// The target of a request line. The error is the status that refuses it:
//   400  the target has none of the forms that the method may have, or a character that no URL has
//   421  an absolute one whose scheme is not http
//   501  CONNECT: this server is no proxy
std::expected<HttpTarget, boost::beast::http::status> parse_target(boost::beast::http::verb method,
                                                                   std::string_view target);

}  // namespace rps::net
