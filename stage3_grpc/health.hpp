// grpc.health.v1.Health, the standard health service, by which load balancers and probes ask
// whether this process serves. It knows "", which stands for the whole server, and
// rps.v1.RockPaperScissorsService. Their status is SERVING until drain(), and NOT_SERVING then.
//
// gRPC brings such a service itself. That one keeps its Watch streams open for as long as their
// peers like, so that they hold up the end of the server.
#pragma once

#include <atomic>

#include "grpc/health/v1/health.grpc.pb.h"
#include "stage3_grpc/open_calls.hpp"

namespace rps::rpc {

namespace detail {

// Methods take bytes for the reason that dispatcher.hpp gives.
using RawHealth = ::grpc::health::v1::Health::WithRawCallbackMethod_Check<
    ::grpc::health::v1::Health::WithRawCallbackMethod_Watch<::grpc::health::v1::Health::Service>>;

}  // namespace detail

// Check of another name ends with NOT_FOUND; Watch says SERVICE_UNKNOWN and stays open, as the
// protocol wants. Bytes that are no request end with INVALID_ARGUMENT.
class Health final : public detail::RawHealth {
 public:
  // REQUIRES: the pool outlives the service.
  explicit Health(boundary::CallPool& pool) : calls_(pool) {}

  // From now on the status is NOT_SERVING. Each Watch is told so and ended with UNAVAILABLE, also
  // those that come later. Does not block.
  void drain();

 private:
  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Watch(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request) override;

  std::atomic<bool> is_serving_{true};
  OpenCalls calls_;
};

}  // namespace rps::rpc
