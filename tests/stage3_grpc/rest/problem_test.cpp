#include "stage3_grpc/rest/problem.hpp"

#include <google/protobuf/util/json_util.h>

#include "google/rpc/status.pb.h"
#include "stage3_grpc/contract/error_details.hpp"
#include "tests/catch.hpp"

namespace rps::rpc::rest {

TEST_CASE("Every error is a google.rpc.Status as gRPC's details have it") {
  for (const Error error : all_errors) {
    const Reply reply{.error = error, .retry_after_ms = 1'500};
    const net::HttpPage page = error_page(reply, ErrorForm::status);
    google::rpc::Status status;
    REQUIRE(google::protobuf::util::JsonStringToMessage(page.body, &status).ok());
    CHECK(status.SerializeAsString() == rich_status(reply).SerializeAsString());
    CHECK(page.status == http_status(error));
    CHECK(page.type == "application/json");
  }
}

TEST_CASE("A problem says what went wrong, and when to try again") {
  const net::HttpPage page =
      error_page({.error = Error::overloaded, .retry_after_ms = 1'500}, ErrorForm::problem);
  CHECK(page.status == net::HttpStatus::too_many_requests);
  CHECK(page.type == "application/problem+json");
  CHECK(page.fields == "Retry-After: 2\r\n");
  CHECK(page.body.starts_with(
      R"({"type":"about:blank","title":"Too Many Requests","status":429,"detail":")"));
  CHECK(page.body.ends_with(R"(","error":"overloaded","retry_after_ms":1500})"));
  CHECK(fault_page(net::HttpStatus::not_found, "\"a\" is no path", ErrorForm::problem).body ==
        R"({"type":"about:blank","title":"Not Found","status":404,"detail":"\"a\" is no path"})");
}

TEST_CASE("A client that is not known learns how to say who it is") {
  const net::HttpPage page = error_page({.error = Error::unauthenticated}, ErrorForm::status);
  CHECK(page.status == net::HttpStatus::unauthorized);
  CHECK(page.fields == "WWW-Authenticate: Bearer\r\n");
}

TEST_CASE("Only a client that names the type gets problems") {
  net::HttpRequest request;
  CHECK(error_form(request) == ErrorForm::status);
  request.set(boost::beast::http::field::accept, "application/*");
  CHECK(error_form(request) == ErrorForm::status);
  request.set(boost::beast::http::field::accept, "application/problem+json;q=0");
  CHECK(error_form(request) == ErrorForm::status);
  request.set(boost::beast::http::field::accept, "application/json, application/problem+json");
  CHECK(error_form(request) == ErrorForm::problem);
}

}  // namespace rps::rpc::rest
