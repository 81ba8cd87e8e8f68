// What a refused call is told besides the status's code and message, for programs: a
// google.rpc.Status with an ErrorInfo, and a RetryInfo when the reply says when to try again.
// Sources: https://google.aip.dev/193; proto/google/rpc/error_details.proto.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/command.hpp"
#include "google/rpc/status.pb.h"

namespace rps::rpc {

// The domain of every ErrorInfo of this project.
inline constexpr const char* error_domain = "rps";

// The Error's name in upper case: "UNKNOWN_SESSION". docs/errors.md lists them.
std::string reason_of(Error error);

// The whole status of a refusal. The metadata of its ErrorInfo hold what JSON-RPC puts into
// `error.data` beside the name: `retry_after_ms` of `overloaded`. REQUIRES: reply.error.
google::rpc::Status rich_status(const Reply& reply);

// The time that the RetryInfo of a serialized google.rpc.Status says, rounded up; 0 when it says
// none.
std::uint32_t retry_delay_ms(std::string_view status);

}  // namespace rps::rpc
