// The gRPC server: a listener, the service that answers its connections, and the drain.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/resource_quota.h>

#include "core/server/server.hpp"
#include "stage3_grpc/boundary/serving_threads.hpp"
#include "stage3_grpc/chain/game_chain.hpp"
#include "stage3_grpc/connection_filters.hpp"
#include "stage3_grpc/limits.hpp"
#include "stage3_grpc/listener.hpp"
#include "stage3_grpc/log_route.hpp"

namespace grpc {
class Server;
namespace experimental {
class ExternalConnectionAcceptor;
}
}  // namespace grpc

namespace rps::rpc {

namespace rest {
class Gateway;
}
class Health;
class Reflection;
class Service;
class UnknownMethods;

class GrpcServer final : public server::Server {
 public:
  // What --help says of --threads.
  static constexpr const char* threads_help =
      "Threads that run the calls; 0: one for each CPU that the process may use, by its affinity "
      "mask and the CPU quota of its cgroup, at most 16";

  // Listens on flags.listen and serves, with health and reflection beside the game. Throws
  // std::runtime_error when it cannot listen, or not with the certificates that limits.tls names.
  // REQUIRES: `limits` and the context outlive it.
  GrpcServer(const server::Context& context, const Limits& limits);
  ~GrpcServer() override;

  std::string url() const override;

  // "rest http://127.0.0.1:8080" with --rest.
  std::string further_urls() const override;

  // See server::Stage.
  void reconfigure(const Limits& fresh);

  // Asks the health service through gRPC, without a socket.
  bool answers() override;

  // Certificates, and callers with their tokens.
  void reload_files() override;

  void stop_accepting() override;
  bool drain(Clock::time_point deadline) override;

 private:
  void take(net::Fd connection);
  void refuse_last_calls(Clock::time_point deadline);
  void follow_connections();
  void start_gateway(const server::Context& context);
  bool drain_gateway(Clock::time_point deadline);

  const Limits& limits_;
  spdlog::logger& log_;
  LogRoute log_route_;
  ConnectionFilters filters_;
  Listener listener_;
  grpc::ResourceQuota memory_{"rps"};
  std::unique_ptr<Health> health_;
  std::unique_ptr<Reflection> reflection_;
  std::unique_ptr<UnknownMethods> unknown_methods_;
  chain::GameChain chain_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<rest::Gateway> gateway_;  // With --rest.
  boundary::ServingThreads threads_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace rps::rpc
