#include "stage3_grpc/error_details.hpp"

#include <algorithm>

#include <google/protobuf/util/time_util.h>

#include "google/rpc/error_details.pb.h"
#include "stage3_grpc/status.hpp"

namespace rps::rpc {

std::string reason_of(Error error) {
  std::string reason(to_string(error));
  std::ranges::transform(reason, reason.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return reason;
}

google::rpc::Status rich_status(const Reply& reply) {
  const Error error = *reply.error;
  google::rpc::Status status;
  status.set_code(code_of(error));
  status.set_message(message_of(error));
  google::rpc::ErrorInfo info;
  info.set_reason(reason_of(error));
  info.set_domain(error_domain);
  if (error == Error::overloaded) {
    (*info.mutable_metadata())["retry_after_ms"] = std::to_string(reply.retry_after_ms);
  }
  status.add_details()->PackFrom(info);
  if (error == Error::overloaded) {
    google::rpc::RetryInfo retry;
    *retry.mutable_retry_delay() =
        google::protobuf::util::TimeUtil::MillisecondsToDuration(reply.retry_after_ms);
    status.add_details()->PackFrom(retry);
  }
  return status;
}

}  // namespace rps::rpc
