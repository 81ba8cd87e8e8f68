#include "stage3_grpc/health.hpp"

#include <mutex>
#include <optional>
#include <string>

#include "rps/v1/rps.grpc.pb.h"
#include "stage3_grpc/contract/status.hpp"
#include "stage3_grpc/wire.hpp"

namespace rps::rpc {

namespace {

using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

bool is_known(const std::string& service) {
  return service.empty() || service == v1::RockPaperScissorsService::service_full_name();
}

grpc::ByteBuffer bytes_of(HealthCheckResponse::ServingStatus status) {
  HealthCheckResponse response;
  response.set_status(status);
  return to_bytes(response);
}

// One Watch. Two messages at most are ever made: the status at the beginning and that of the drain.
// So a peer that does not read leaves no more than that.
class WatchStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer>, public OpenStream {
 public:
  // `service`: nothing when the request could not be read.
  WatchStream(OpenCalls& open, const std::optional<std::string>& service)
      : open_(open), is_known_(service && is_known(*service)) {
    open_.add(*this);
    const std::scoped_lock lock(mutex_);
    if (finished_) return;
    if (!service) {
      finish(to_status(Error::malformed_request));
    } else {
      say(HealthCheckResponse::SERVING);
      writing_ = true;
      StartWrite(&message_);
    }
  }

  void OnWriteDone(bool ok) override {
    const std::scoped_lock lock(mutex_);
    writing_ = false;
    if (finished_) return;
    if (!ok || cancelled_) return finish(grpc::Status::CANCELLED);  // The peer has gone.
    if (draining_) say_farewell();
  }

  void OnCancel() override {
    const std::scoped_lock lock(mutex_);
    cancelled_ = true;
    if (!finished_ && !writing_) finish(grpc::Status::CANCELLED);  // Else OnWriteDone does.
  }

  void OnDone() override {
    open_.remove(*this);
    delete this;
  }

  void drain() override {
    const std::scoped_lock lock(mutex_);
    draining_ = true;
    if (!finished_ && !writing_) say_farewell();
  }

 private:
  // REQUIRES for these three: the mutex is held, and nothing is being written.
  void say(HealthCheckResponse::ServingStatus status) {
    message_ = bytes_of(is_known_ ? status : HealthCheckResponse::SERVICE_UNKNOWN);
  }

  void say_farewell() {
    say(HealthCheckResponse::NOT_SERVING);
    finished_ = true;
    StartWriteAndFinish(&message_, {}, to_status(Error::unavailable));
  }

  void finish(const grpc::Status& status) {
    finished_ = true;
    Finish(status);
  }

  OpenCalls& open_;
  const OpenCalls::Call call_{open_};
  const bool is_known_;
  std::mutex mutex_;  // Guards what follows.
  grpc::ByteBuffer message_;
  bool writing_ = false;  // The message is with gRPC.
  bool cancelled_ = false;
  bool draining_ = false;
  bool finished_ = false;
};

class CheckCall final : public grpc::ServerUnaryReactor {
 public:
  explicit CheckCall(OpenCalls& open) : open_(open) {}

  void OnDone() override { delete this; }

 private:
  const OpenCalls::Call open_;
};

}  // namespace

void Health::drain() {
  is_serving_ = false;
  calls_.drain();
}

grpc::ServerUnaryReactor* Health::Check(grpc::CallbackServerContext*,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) {
  auto* const reactor = new CheckCall(calls_);
  const auto asked = parse<HealthCheckRequest>(*request);
  if (!asked) {
    reactor->Finish(to_status(Error::malformed_request));
  } else if (!is_known(asked->service())) {
    reactor->Finish({grpc::NOT_FOUND, "this server has no such service"});
  } else {
    *response =
        bytes_of(is_serving_ ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING);
    reactor->Finish(grpc::Status::OK);
  }
  return reactor;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* Health::Watch(grpc::CallbackServerContext*,
                                                          const grpc::ByteBuffer* request) {
  const auto asked = parse<HealthCheckRequest>(*request);
  return new WatchStream(calls_, asked ? std::optional(asked->service()) : std::nullopt);
}

}  // namespace rps::rpc
