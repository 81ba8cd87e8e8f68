// Server reflection: a client such as grpcurl asks the running server which services it has and
// what their messages look like, and needs no proto file of its own. Served under both names of the
// protocol, grpc.reflection.v1 and v1alpha, as each is the only one that some clients know. Their
// messages are the same on the wire.
//
// Debian's library for it (libgrpc++_reflection) knows v1alpha only, and is a synchronous service,
// whose threads a callback server does not have.
#pragma once

#include <memory>

#include "grpc/reflection/v1/reflection.pb.h"
#include "stage3_grpc/open_calls.hpp"

namespace grpc {
class ServerBuilder;
class Service;
}  // namespace grpc

namespace rps::rpc {

// The answer to one request, made from the descriptors that are linked into this process. A file
// comes with all files that it imports, directly or not, itself first. What is not there is
// answered with an error response (NOT_FOUND), as is a name of more than 512 bytes; a request that
// asks for nothing is answered with INVALID_ARGUMENT. Any thread.
::grpc::reflection::v1::ServerReflectionResponse reflect(
    const ::grpc::reflection::v1::ServerReflectionRequest& request);

// The two services. Each stream has one request and its answer in memory at a time. Bytes that are
// no request end it with INVALID_ARGUMENT.
class Reflection {
 public:
  // REQUIRES: the pool outlives this.
  explicit Reflection(boundary::CallPool& pool);
  ~Reflection();

  // REQUIRES: this outlives the server.
  void add_to(::grpc::ServerBuilder& builder);

  // Ends the streams with UNAVAILABLE, each when the request that it has read is answered. Does not
  // block.
  void drain() { streams_.drain(); }

 private:
  OpenCalls streams_;
  std::unique_ptr<::grpc::Service> v1_;
  std::unique_ptr<::grpc::Service> v1alpha_;
};

}  // namespace rps::rpc
