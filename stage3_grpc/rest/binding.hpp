// From an HTTP request to the message of a call: JSON in the body (json_reader.hpp), fields in the
// path and in the query. As in JSON, fields that are not known are ignored; so is the name of an
// enum value that is not known, and the field stays unset.
#pragma once

#include <span>
#include <string_view>

#include <google/protobuf/message.h>

#include "stage3_grpc/rest/route.hpp"

namespace rps::rpc::rest {

// Sets in `out`, an empty request of the route's method, what the HTTP request says. `values` are
// those of the path's variables, percent-encoded; they come last, so a body cannot contradict the
// path. The query is read only for a route without a body. False when something cannot be read;
// then `out` may be set in part.
bool read_request(const Route& route, std::span<const std::string_view> values,
                  std::string_view query, std::string_view body, google::protobuf::Message& out);

}  // namespace rps::rpc::rest
