#include "stage3_grpc/server.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <absl/synchronization/mutex.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <spdlog/logger.h>

#include "core/net/fd.hpp"
#include "stage3_grpc/health.hpp"
#include "stage3_grpc/reflection.hpp"
#include "stage3_grpc/rest/gateway.hpp"
#include "stage3_grpc/service.hpp"
#include "stage3_grpc/time.hpp"
#include "stage3_grpc/unknown_methods.hpp"

namespace rps::rpc {

namespace {

using Connection = grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters;

}  // namespace

GrpcServer::GrpcServer(const server::Context& context, const Limits& limits)
    : limits_(limits),
      log_(context.log),
      log_route_(context.log),
      filters_(limits, context.metrics, context.log),
      listener_(context.flags.listen, static_cast<std::size_t>(limits.connections_max),
                context.metrics, context.log),
      health_(std::make_unique<Health>(filters_.flood_guard().calls())),
      reflection_(std::make_unique<Reflection>(filters_.flood_guard().calls())),
      unknown_methods_(std::make_unique<UnknownMethods>(filters_.flood_guard().calls())),
      chain_(limits.chain,
             limits.tls.ca.empty() ? chain::GameChain::Certificates::none
                                   : chain::GameChain::Certificates::demanded,
             context.metrics, context.log, context.bulk_log),
      service_(std::make_unique<Service>(
          context.game, ServedCall::Shared{.chain = chain_, .peers = *filters_.peers()},
          context.metrics, limits, filters_.flood_guard().calls())),
      threads_(server::serving_threads(context, limits::default_threads_max), limits.busy_poll) {
  // Debian builds Abseil so that each lock of a mutex looks for cycles (docs/decisions/013).
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  grpc::ServerBuilder builder;
  apply(limits, builder);
  follow_connections();
  builder.SetResourceQuota(memory_);
  builder.RegisterService(health_.get());
  if (limits.has_reflection) reflection_->add_to(builder);
  builder.RegisterService(service_.get());
  builder.RegisterCallbackGenericService(unknown_methods_.get());
  acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  {
    const boundary::ServingThreads::Handover handover(threads_);
    server_ = builder.BuildAndStart();
  }
  if (!server_) throw std::runtime_error("gRPC could not start a server");
  if (!threads_.is_taken()) {
    context.log.warn("--threads has no effect: gRPC has threads of its own");
  }
  if (limits.rest.listen) start_gateway(context);
  filters_.start([this](net::Fd connection) { take(std::move(connection)); }, listener_.budget());
  listener_.start(
      [this](net::Fd connection, boundary::ConnectionBudget::Place place) {
        follow_connections();
        if (filters_.attach(connection.get(), std::move(place))) take(std::move(connection));
      },
      [this] { return filters_.flood_guard().make_room(); },
      [this](Clock::time_point now) {
        filters_.tick(now);
        log_route_.tick(now);
        chain_.tick(now);
        follow_connections();
      });
}

// Who calls over HTTP shows no certificate, so where only certificates say who may call, the
// gateway would be a way around them.
void GrpcServer::start_gateway(const server::Context& context) {
  if (!limits_.tls.ca.empty() && !limits_.chain.has_auth) {
    throw std::runtime_error(
        "--rest serves callers without a certificate, which --tls-ca demands; --auth=on with "
        "--auth-tokens lets those in that have a token");
  }
  if (!limits_.tls.certificate.empty()) {
    log_.warn("--rest speaks plain HTTP, also with --tls-cert");
  }
  const GameOptions& game = context.flags.game;
  const auto places = static_cast<std::size_t>(limits_.rest.connections_max);
  gateway_ = std::make_unique<rest::Gateway>(
      limits_.rest,
      rest::Service::Parts{
          .game = context.game,
          .chain = chain_,
          .names = server::host_names(context.flags, *limits_.rest.listen),
          .events_waiting_max = static_cast<std::size_t>(limits_.events_waiting_max),
          .spectators_max =
              std::max<std::size_t>(1, places * rest::limits::spectators_quarters / 4),
          .players_max = 2 * game.duels_max,
          .players_idle_max = game.duel_idle},
      context.metrics, context.log);
}

void GrpcServer::follow_connections() {
  const auto connections_max = static_cast<std::size_t>(limits_.connections_max);
  memory_.Resize(memory_quota(limits_, listener_.budget().open().value_or(connections_max)));
}

GrpcServer::~GrpcServer() {
  drain(Clock::now());
}

void GrpcServer::take(net::Fd connection) {
  Connection parameters;
  parameters.fd = connection.release();
  acceptor_->HandleNewConnection(&parameters);
}

std::string GrpcServer::url() const {
  return (filters_.has_tls() ? "grpcs://" : "grpc://") + to_string(listener_.address());
}

std::string GrpcServer::further_urls() const {
  return gateway_ ? "rest " + gateway_->url() + "\n" : std::string();
}

void GrpcServer::reconfigure(const Limits& fresh) {
  chain_.configure(fresh.chain);  // First, as it may want memory.
  listener_.set_connections_max(static_cast<std::size_t>(fresh.connections_max));
  filters_.flood_guard().reconfigure(fresh);
  service_->reconfigure(fresh);
}

bool GrpcServer::answers() {
  const auto health =
      grpc::health::v1::Health::NewStub(server_->InProcessChannel(grpc::ChannelArguments()));
  grpc::ClientContext context;
  context.set_deadline(to_timespec(Clock::now() + server::limits::self_probe_max));
  grpc::health::v1::HealthCheckResponse response;
  return health->Check(&context, {}, &response).ok() &&
         response.status() == grpc::health::v1::HealthCheckResponse::SERVING;
}

void GrpcServer::reload_files() {
  if (TransportSecurity* const tls = filters_.tls()) tls->reload();
  chain_.look_soon();
}

void GrpcServer::stop_accepting() {
  if (!chain_.counts_calls()) {
    log_.info("--metrics=off: calls are not counted, so the line on the drain says 0");
  }
  listener_.stop();
  if (gateway_) gateway_->stop_accepting();
  health_->drain();
  reflection_->drain();
  service_->drain();
  filters_.flood_guard().say_goodbye();
}

bool GrpcServer::drain(Clock::time_point deadline) {
  listener_.stop();
  const bool is_rest_answered = drain_gateway(deadline);
  const bool is_answered = service_->wait_for_ends(deadline) && is_rest_answered;
  refuse_last_calls(std::min(deadline, Clock::now() + limits_.goodbye_max));
  server_->Shutdown(to_timespec(std::min(deadline, Clock::now() + limits_.goodbye_max)));
  filters_.tick(Clock::now());
  return is_answered;
}

// Twice is once.
bool GrpcServer::drain_gateway(Clock::time_point deadline) {
  if (!gateway_) return true;
  const std::size_t cut_off = gateway_->drain(deadline);
  gateway_.reset();
  if (cut_off > 0) log_.warn("requests of the REST gateway that were cut off: {}", cut_off);
  return cut_off == 0;
}

// A call that gRPC finds once it shuts down ends as CANCELLED, so no call may come any more then.
// Without the flood guard nobody can tell the peers, and calls are refused until the deadline.
void GrpcServer::refuse_last_calls(Clock::time_point deadline) {
  FloodGuard& guard = filters_.flood_guard();
  while (listener_.budget().open() != 0 && !guard.say_goodbye()) {
    const Clock::time_point now = Clock::now();
    if (now >= deadline) return guard.close_unfinished();
    std::this_thread::sleep_until(std::min(deadline, now + limits::drain_look_period));
  }
}

}  // namespace rps::rpc
