#include "stage3_grpc/rest/problem.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <grpcpp/support/status.h>

#include "google/rpc/status.pb.h"
#include "stage3_grpc/contract/error_details.hpp"
#include "stage3_grpc/contract/status.hpp"
#include "stage3_grpc/rest/json_writer.hpp"
#include "stage3_grpc/rest/negotiation.hpp"

namespace rps::rpc::rest {

namespace {

using net::HttpStatus;

// The code of gRPC that says most nearly the same.
grpc::StatusCode code_of_status(HttpStatus status) {
  struct Pair {
    HttpStatus status;
    grpc::StatusCode code;
  };
  constexpr std::array pairs{
      Pair{HttpStatus::forbidden, grpc::PERMISSION_DENIED},
      Pair{HttpStatus::not_found, grpc::NOT_FOUND},
      Pair{HttpStatus::method_not_allowed, grpc::UNIMPLEMENTED},
      Pair{HttpStatus::request_timeout, grpc::DEADLINE_EXCEEDED},
      Pair{HttpStatus::payload_too_large, grpc::RESOURCE_EXHAUSTED},
      Pair{HttpStatus::request_header_fields_too_large, grpc::RESOURCE_EXHAUSTED},
      Pair{HttpStatus::not_implemented, grpc::UNIMPLEMENTED},
  };
  const auto found = std::ranges::find(pairs, status, &Pair::status);
  return found != pairs.end() ? found->code : grpc::INVALID_ARGUMENT;
}

std::string_view phrase(HttpStatus status) {
  const auto text = boost::beast::http::obsolete_reason(status);
  return {text.data(), text.size()};
}

// A problem's JSON, with the members that every problem has; `more` are further ones, each behind a
// comma. Its type is about:blank, so its title is the status's phrase (RFC 9457, section 4.2.1).
std::string problem_json(HttpStatus status, std::string_view detail, std::string_view more = {}) {
  std::string text = R"({"type":"about:blank","title":)";
  append_json(phrase(status), text);
  text.append(R"(,"status":)").append(std::to_string(static_cast<unsigned>(status)));
  text.append(R"(,"detail":)");
  append_json(detail, text);
  return text.append(more).append("}");
}

std::string to_json(const google::protobuf::Message& message) {
  std::string text;
  append_json(message, text);
  return text;
}

std::string_view media_type(ErrorForm form) {
  return form == ErrorForm::problem ? media::problem : media::json;
}

// Whole seconds, and at least one (RFC 9110, section 10.2.3).
std::string seconds(std::uint32_t milliseconds) {
  return std::to_string(milliseconds / 1'000 + (milliseconds % 1'000 > 0 ? 1 : 0));
}

}  // namespace

ErrorForm error_form(const net::HttpRequest& request) {
  const Preference wish = preference(request, media::problem);
  return wish.is_named && wish.weight > 0 ? ErrorForm::problem : ErrorForm::status;
}

HttpStatus http_status(Error error) {
  switch (error) {
    case Error::invalid_move:
    case Error::malformed_request: return HttpStatus::bad_request;
    case Error::unknown_operation:
    case Error::unknown_session:
    case Error::unknown_game: return HttpStatus::not_found;
    case Error::not_your_turn:
    case Error::game_full: return HttpStatus::conflict;
    case Error::unauthenticated: return HttpStatus::unauthorized;
    case Error::permission_denied: return HttpStatus::forbidden;
    case Error::too_large: return HttpStatus::payload_too_large;
    case Error::overloaded: return HttpStatus::too_many_requests;
    case Error::deadline_exceeded: return HttpStatus::gateway_timeout;
    case Error::unavailable: return HttpStatus::service_unavailable;
    case Error::internal: return HttpStatus::internal_server_error;
  }
  return HttpStatus::internal_server_error;
}

std::string error_json(const Reply& reply, ErrorForm form) {
  if (form == ErrorForm::status) return to_json(rich_status(reply));
  std::string more = R"(,"error":)";
  append_json(to_string(*reply.error), more);
  if (*reply.error == Error::overloaded) {
    more.append(R"(,"retry_after_ms":)").append(std::to_string(reply.retry_after_ms));
  }
  return problem_json(http_status(*reply.error), explain(*reply.error), more);
}

net::HttpPage error_page(const Reply& reply, ErrorForm form) {
  net::HttpPage page{.status = http_status(*reply.error),
                     .type = media_type(form),
                     .body = error_json(reply, form)};
  if (*reply.error == Error::overloaded) {
    page.fields = "Retry-After: " + seconds(reply.retry_after_ms) + "\r\n";
  } else if (*reply.error == Error::unauthenticated) {
    page.fields = "WWW-Authenticate: Bearer\r\n";
  }
  return page;
}

net::HttpPage fault_page(HttpStatus status, std::string_view detail, ErrorForm form) {
  net::HttpPage page{.status = status, .type = media_type(form)};
  if (form == ErrorForm::problem) {
    page.body = problem_json(status, detail);
  } else {
    google::rpc::Status made;
    made.set_code(code_of_status(status));
    made.set_message(std::string(detail));
    page.body = to_json(made);
  }
  return page;
}

}  // namespace rps::rpc::rest
