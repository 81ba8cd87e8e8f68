// Errors as gRPC statuses, and back.
#pragma once

#include <string>

#include <grpcpp/support/status.h>

#include "core/command.hpp"

namespace rps::rpc {

// Trailing metadata beside an `overloaded` status: how many milliseconds to wait. gRPC's own
// retries obey the second (proposal A6 of grpc/proposal).
inline constexpr const char* retry_after_key = "retry-after-ms";
inline constexpr const char* pushback_key = "grpc-retry-pushback-ms";

grpc::StatusCode code_of(Error error);

// "<error's name>: <explanation>".
std::string message_of(Error error);

// The code, the message and the details (error_details.hpp) of a refusal. Of an error without
// details of its own they were made before. REQUIRES: reply.error.
grpc::Status to_status(const Reply& reply);
grpc::Status to_status(Error error);

// The error that a call of `operation` failed with. The name at the front of the message decides
// when it is an Error's and agrees with the code; a foreign server's message has none, so the code
// decides. REQUIRES: !status.ok().
Error error_of(const grpc::Status& status, Operation operation);

// Whether a server, or a proxy in front of it, said this. Else gRPC's own client did, because a
// connection broke or could not be made. REQUIRES: !status.ok().
bool is_answer(const grpc::Status& status);

}  // namespace rps::rpc
