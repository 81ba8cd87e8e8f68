#include "stage3_grpc/contract/error_details.hpp"

#include <string>

#include "google/rpc/error_details.pb.h"
#include "stage3_grpc/contract/status.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::rpc;

namespace {

// The details of a status, read as a client's library reads them.
google::rpc::Status details_of(const grpc::Status& status) {
  google::rpc::Status details;
  REQUIRE(details.ParseFromString(status.error_details()));
  return details;
}

google::rpc::ErrorInfo info_of(const google::rpc::Status& details) {
  google::rpc::ErrorInfo info;
  REQUIRE(details.details_size() >= 1);
  REQUIRE(details.details(0).type_url() == "type.googleapis.com/google.rpc.ErrorInfo");
  REQUIRE(details.details(0).UnpackTo(&info));
  return info;
}

}  // namespace

TEST_CASE("Every error's details repeat its status and give its reason") {
  for (const Error error : all_errors) {
    const grpc::Status status = to_status(error);
    const google::rpc::Status details = details_of(status);
    CHECK(details.code() == status.error_code());
    CHECK(details.message() == status.error_message());
    const google::rpc::ErrorInfo info = info_of(details);
    CHECK(info.domain() == "rps");
    CHECK(info.reason() == reason_of(error));
    CHECK(info.metadata().empty() == (error != Error::overloaded));
    CHECK(details.details_size() == (error == Error::overloaded ? 2 : 1));
  }
}

TEST_CASE("A reason is the error's name in upper case") {
  CHECK(reason_of(Error::permission_denied) == "PERMISSION_DENIED");
  CHECK(reason_of(Error::internal) == "INTERNAL");
}

TEST_CASE("An overloaded server says when to try again") {
  const Reply reply{.error = Error::overloaded, .retry_after_ms = 1'250};
  const google::rpc::Status details = details_of(to_status(reply));
  CHECK(info_of(details).metadata().at("retry_after_ms") == "1250");
  google::rpc::RetryInfo retry;
  REQUIRE(details.details_size() == 2);
  REQUIRE(details.details(1).type_url() == "type.googleapis.com/google.rpc.RetryInfo");
  REQUIRE(details.details(1).UnpackTo(&retry));
  CHECK(retry.retry_delay().seconds() == 1);
  CHECK(retry.retry_delay().nanos() == 250'000'000);
}
