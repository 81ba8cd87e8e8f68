#include "stage3_grpc/unknown_methods.hpp"

#include "stage3_grpc/contract/status.hpp"

namespace rps::rpc {

namespace {

class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Refusal(OpenCalls& open) : open_(open) { Finish(to_status(Error::unknown_operation)); }

  void OnDone() override { delete this; }

 private:
  const OpenCalls::Call open_;
};

}  // namespace

grpc::ServerGenericBidiReactor* UnknownMethods::CreateReactor(grpc::GenericCallbackServerContext*) {
  return new Refusal(calls_);
}

}  // namespace rps::rpc
