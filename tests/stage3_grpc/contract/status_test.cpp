#include "stage3_grpc/contract/status.hpp"

#include <string>

#include "tests/catch.hpp"

using namespace rps;
using namespace rps::rpc;

TEST_CASE("Every error goes out with its name, and comes back as itself") {
  for (const Error error : all_errors) {
    const grpc::Status status = to_status(error);
    CHECK_FALSE(status.ok());
    CHECK(status.error_message() ==
          std::string(to_string(error)) + ": " + std::string(explain(error)));
    for (const Operation operation : all_operations) CHECK(error_of(status, operation) == error);
  }
}

TEST_CASE("The codes are those of the contract") {
  CHECK(code_of(Error::invalid_move) == grpc::INVALID_ARGUMENT);
  CHECK(code_of(Error::malformed_request) == grpc::INVALID_ARGUMENT);
  CHECK(code_of(Error::unknown_operation) == grpc::UNIMPLEMENTED);
  CHECK(code_of(Error::unknown_session) == grpc::NOT_FOUND);
  CHECK(code_of(Error::unknown_game) == grpc::NOT_FOUND);
  CHECK(code_of(Error::not_your_turn) == grpc::FAILED_PRECONDITION);
  CHECK(code_of(Error::game_full) == grpc::FAILED_PRECONDITION);
  CHECK(code_of(Error::unauthenticated) == grpc::UNAUTHENTICATED);
  CHECK(code_of(Error::permission_denied) == grpc::PERMISSION_DENIED);
  CHECK(code_of(Error::too_large) == grpc::RESOURCE_EXHAUSTED);
  CHECK(code_of(Error::overloaded) == grpc::RESOURCE_EXHAUSTED);
  CHECK(code_of(Error::deadline_exceeded) == grpc::DEADLINE_EXCEEDED);
  CHECK(code_of(Error::unavailable) == grpc::UNAVAILABLE);
  CHECK(code_of(Error::internal) == grpc::INTERNAL);
}

TEST_CASE("Of a foreign server the code alone must do") {
  const auto of = [](grpc::StatusCode code, Operation operation, const char* message = "") {
    return error_of(grpc::Status(code, message), operation);
  };
  CHECK(of(grpc::INVALID_ARGUMENT, Operation::play) == Error::malformed_request);
  CHECK(of(grpc::NOT_FOUND, Operation::score) == Error::unknown_session);
  CHECK(of(grpc::NOT_FOUND, Operation::throw_move) == Error::unknown_game);
  CHECK(of(grpc::FAILED_PRECONDITION, Operation::join) == Error::game_full);
  CHECK(of(grpc::FAILED_PRECONDITION, Operation::throw_move) == Error::not_your_turn);
  CHECK(of(grpc::RESOURCE_EXHAUSTED, Operation::play) == Error::overloaded);
  CHECK(of(grpc::RESOURCE_EXHAUSTED, Operation::play,
           "Received message larger than max (65537 vs. 65536)") == Error::too_large);
  CHECK(of(grpc::CANCELLED, Operation::play) == Error::unavailable);
  CHECK(of(grpc::UNAUTHENTICATED, Operation::play) == Error::unauthenticated);
  CHECK(of(grpc::PERMISSION_DENIED, Operation::join) == Error::permission_denied);
  CHECK(of(grpc::UNKNOWN, Operation::play) == Error::internal);
}

TEST_CASE("A name that does not agree with its code is not believed") {
  const grpc::Status status(grpc::UNAVAILABLE, "invalid_move: says somebody in between");
  CHECK(error_of(status, Operation::play) == Error::unavailable);
}
