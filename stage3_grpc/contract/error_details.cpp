#include "stage3_grpc/contract/error_details.hpp"

#include <algorithm>

#include <google/protobuf/util/time_util.h>

#include "google/rpc/error_details.pb.h"
#include "stage3_grpc/contract/status.hpp"

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

std::uint32_t retry_delay_ms(std::string_view bytes) {
  google::rpc::Status status;
  if (!status.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return 0;
  for (const google::protobuf::Any& detail : status.details()) {
    google::rpc::RetryInfo retry;
    if (!detail.Is<google::rpc::RetryInfo>() || !detail.UnpackTo(&retry)) continue;
    const google::protobuf::Duration& delay = retry.retry_delay();
    const std::int64_t ms = std::clamp<std::int64_t>(delay.seconds(), 0, UINT32_MAX / 1000) * 1000 +
                            (std::max(delay.nanos(), 0) + 999'999) / 1'000'000;
    return static_cast<std::uint32_t>(std::min<std::int64_t>(ms, UINT32_MAX));
  }
  return 0;
}

}  // namespace rps::rpc
