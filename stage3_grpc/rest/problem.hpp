// Errors as answers of HTTP: a google.rpc.Status as JSON, as gRPC's details have it, or
// application/problem+json (RFC 9457) for a client whose Accept names that type.
#pragma once

#include <string>
#include <string_view>

#include "core/command.hpp"
#include "core/net/http.hpp"

namespace rps::rpc::rest {

enum class ErrorForm : bool { status, problem };

// What the client of this request wants.
ErrorForm error_form(const net::HttpRequest& request);

net::HttpStatus http_status(Error error);

// The answer to a refused call, with Retry-After or WWW-Authenticate where they belong.
// REQUIRES: reply.error.
net::HttpPage error_page(const Reply& reply, ErrorForm form);

// A google.rpc.Status, or a problem, as JSON without a line's end. REQUIRES: reply.error.
std::string error_json(const Reply& reply, ErrorForm form);

// The answer to a request that is no call: a path that does not exist, a body of another type.
// `detail` is a sentence for a person, without a full stop.
net::HttpPage fault_page(net::HttpStatus status, std::string_view detail, ErrorForm form);

}  // namespace rps::rpc::rest
