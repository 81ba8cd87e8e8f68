// The answer to calls of methods that this server does not have: UNIMPLEMENTED, with the details of
// `unknown_operation` (docs/errors.md). gRPC would give the same status by itself, but without
// details, and the pool of calls would not learn when such a call has ended.
#pragma once

#include <grpcpp/generic/async_generic_service.h>

#include "stage3_grpc/open_calls.hpp"

namespace rps::rpc {

class UnknownMethods final : public grpc::CallbackGenericService {
 public:
  // REQUIRES: the pool outlives the service.
  explicit UnknownMethods(boundary::CallPool& pool) : calls_(pool) {}

 private:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

  OpenCalls calls_;
};

}  // namespace rps::rpc
