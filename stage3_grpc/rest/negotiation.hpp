// Media types in a request's fields, and the page that a request comes from.
#pragma once

#include <string_view>

#include "core/net/http.hpp"

namespace rps::rpc::rest {

namespace media {
inline constexpr std::string_view json = "application/json";
inline constexpr std::string_view json_lines = "application/x-ndjson";
inline constexpr std::string_view event_stream = "text/event-stream";
inline constexpr std::string_view problem = "application/problem+json";
}  // namespace media

// How much a client wants a media type, from 0, not at all, to 1,000; and whether its fields Accept
// name that type, rather than a range that contains it (RFC 9110, section 12.5.1). A request
// without Accept takes everything. `type` is one of `media`.
struct Preference {
  int weight = 1'000;
  bool is_named = false;
};
Preference preference(const net::HttpRequest& request, std::string_view type);

// False when a browser says that a page of another origin makes the request. Such a page could play
// for its visitor, although it cannot read the answer. An origin is the server's own when its host
// and port are those of Host: a page that this port has served. A request without Origin is not
// made by a page, or only reads.
bool is_own_origin(const net::HttpRequest& request);

}  // namespace rps::rpc::rest
