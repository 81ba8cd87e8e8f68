// Errors as gRPC statuses, and back.
#pragma once

#include <cstdint>

#include <grpcpp/support/status.h>

#include "core/command.hpp"

namespace rps::rpc {

// Trailing metadata beside an `overloaded` status: how many milliseconds to wait.
inline constexpr const char* retry_after_key = "retry-after-ms";

grpc::StatusCode code_of(Error error);

// The code, and "<error's name>: <explanation>" as the message.
grpc::Status to_status(Error error);

// What a status means to the one who asked for `operation`. The name in the message decides when
// it is one of ours and agrees with the code; of a foreign server the code alone must do.
// REQUIRES: !status.ok().
Error error_of(const grpc::Status& status, Operation operation);

}  // namespace rps::rpc
