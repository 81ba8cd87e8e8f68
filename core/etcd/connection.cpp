#include "core/etcd/connection.hpp"

#include <cassert>
#include <chrono>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "core/etcd/limits.hpp"

namespace rps::etcd {

std::string keys_of(std::string_view prefix, std::string_view service) {
  return std::string(prefix) + "/" + std::string(service) + "/";
}

std::string end_of(std::string start) {
  assert(start.ends_with('/'));
  ++start.back();
  return start;
}

std::shared_ptr<grpc::Channel> connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, limits::ping_period.count());
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, limits::ping_timeout.count());
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

void limit_time(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + limits::call_timeout);
}

}  // namespace rps::etcd
