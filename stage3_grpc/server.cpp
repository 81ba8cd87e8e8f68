#include "stage3_grpc/server.hpp"

#include <memory>
#include <stdexcept>
#include <string>

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <spdlog/logger.h>

#include "core/runtime/fd.hpp"
#include "stage3_grpc/service.hpp"
#include "stage3_grpc/time.hpp"

namespace rps::rpc {

namespace {

using Connection = grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters;

int count(std::chrono::milliseconds time) {
  return static_cast<int>(time.count());
}

void set_limits(grpc::ServerBuilder& builder, const Limits& limits) {
  builder.SetResourceQuota(
      grpc::ResourceQuota("rps").Resize(static_cast<std::size_t>(limits.memory_bytes_max)));
  builder.SetMaxReceiveMessageSize(limits.message_bytes_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, limits.metadata_bytes_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.streams_max);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, count(limits.handshake_max));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, count(limits.idle_max));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, count(limits.keepalive_after));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, count(limits.keepalive_answer_max));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             count(limits::ping_interval_min));
}

}  // namespace

GrpcServer::GrpcServer(const runtime::Context& context, const Limits& limits)
    : log_route_(context.log),
      listener_(context.flags.listen, static_cast<std::size_t>(limits.connections_max),
                context.metrics, context.log),
      service_(std::make_unique<Service>(context.game, context.metrics, limits)) {
  if (context.flags.threads != 0) {
    context.log.warn("--threads has no effect: gRPC chooses its own number of threads");
  }
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  set_limits(builder, limits);
  builder.RegisterService(service_.get());
  acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  server_ = builder.BuildAndStart();
  if (!server_) throw std::runtime_error("gRPC could not start a server");
  server_->GetHealthCheckService()->SetServingStatus(
      v1::RockPaperScissorsService::service_full_name(), true);
  listener_.start([this](runtime::Fd connection) {
    Connection parameters;
    parameters.fd = connection.release();
    acceptor_->HandleNewConnection(&parameters);
  });
}

GrpcServer::~GrpcServer() {
  drain(Clock::now());
}

std::string GrpcServer::url() const {
  return "grpc://" + to_string(listener_.address());
}

void GrpcServer::stop_accepting() {
  listener_.stop();
  server_->GetHealthCheckService()->SetServingStatus(false);
  service_->drain();
}

bool GrpcServer::drain(Clock::time_point deadline) {
  listener_.stop();
  server_->Shutdown(to_timespec(deadline));
  return Clock::now() < deadline;
}

}  // namespace rps::rpc
