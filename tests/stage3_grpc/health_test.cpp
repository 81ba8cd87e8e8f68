#include "stage3_grpc/health.hpp"

#include <chrono>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/running_server.hpp"

using namespace rps;
using namespace rps::rpc;
using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

namespace {

const std::string game = "rps.v1.RockPaperScissorsService";

HealthCheckRequest about(const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  return request;
}

struct Asked {
  explicit Asked(RunningServer& at) : stub(::grpc::health::v1::Health::NewStub(at.channel)) {}

  grpc::Status check(const std::string& service) {
    grpc::ClientContext context;
    return stub->Check(&context, about(service), &response);
  }

  std::unique_ptr<::grpc::health::v1::Health::Stub> stub;
  HealthCheckResponse response;
};

struct Watch {
  Watch(Asked& asked, const std::string& service)
      : reader(asked.stub->Watch(&context, about(service))) {}

  HealthCheckResponse::ServingStatus next() {
    HealthCheckResponse response;
    REQUIRE(reader->Read(&response));
    return response.status();
  }

  grpc::StatusCode end() {
    HealthCheckResponse response;
    REQUIRE_FALSE(reader->Read(&response));
    return reader->Finish().error_code();
  }

  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<HealthCheckResponse>> reader;
};

}  // namespace

TEST_CASE("The health of the server and of its service can be asked for, that of others not") {
  RunningServer at;
  Asked health(at);
  for (const std::string& service : {std::string(), game}) {
    CHECK(health.check(service).ok());
    CHECK(health.response.status() == HealthCheckResponse::SERVING);
  }
  CHECK(health.check("rps.v1.Chess").error_code() == grpc::NOT_FOUND);
}

TEST_CASE(
    "A server that drains is not serving, and says so to all who watch before they are ended") {
  RunningServer at;
  Asked health(at);
  Watch whole(health, "");
  Watch service(health, game);
  Watch unknown(health, "rps.v1.Chess");
  CHECK(whole.next() == HealthCheckResponse::SERVING);
  CHECK(service.next() == HealthCheckResponse::SERVING);
  CHECK(unknown.next() == HealthCheckResponse::SERVICE_UNKNOWN);

  at.server->stop_accepting();
  CHECK(whole.next() == HealthCheckResponse::NOT_SERVING);
  CHECK(whole.end() == grpc::UNAVAILABLE);
  CHECK(service.next() == HealthCheckResponse::NOT_SERVING);
  CHECK(service.end() == grpc::UNAVAILABLE);
  CHECK(unknown.next() == HealthCheckResponse::SERVICE_UNKNOWN);
  CHECK(unknown.end() == grpc::UNAVAILABLE);
}

TEST_CASE("Who cancels a Watch is gone, and the server drains as if there had been none") {
  RunningServer at;
  Asked health(at);
  {
    Watch cancelled(health, game);
    cancelled.context.TryCancel();
    CHECK(cancelled.reader->Finish().error_code() == grpc::CANCELLED);
  }
  Watch after_its_first(health, game);
  CHECK(after_its_first.next() == HealthCheckResponse::SERVING);
  after_its_first.context.TryCancel();
  CHECK(after_its_first.end() == grpc::CANCELLED);
  CHECK(health.check("").ok());
  at.server->stop_accepting();
  CHECK(at.server->drain(Clock::now() + std::chrono::seconds(60)));
}
