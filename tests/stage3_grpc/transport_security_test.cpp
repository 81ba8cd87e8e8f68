#include "stage3_grpc/transport_security.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/net/fd.hpp"
#include "core/net/listen.hpp"
#include "stage3_grpc/connection_filters.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/running_server.hpp"
#include "tests/stage3_grpc/tls/made_certificates.hpp"
#include "tests/temporary_folder.hpp"

using namespace rps;
using namespace rps::rpc;

namespace {

struct Secured {
  Secured() {
    const tls::Made server =
        tls::make_certificate({.other_names = "DNS:localhost,IP:127.0.0.1,IP:::1"}, &authority);
    const tls::Made client = tls::make_certificate(
        {.name = "client", .other_names = "URI:spiffe://rps/alice"}, &authority);
    folder.write("cert", server.certificate_pem());
    folder.write("key", server.key_pem());
    folder.write("ca", authority.certificate_pem());
    limits.tls = {
        .certificate = folder.path / "cert", .key = folder.path / "key", .ca = folder.path / "ca"};
    credentials = grpc::SslCredentials({.pem_root_certs = authority.certificate_pem(),
                                        .pem_private_key = client.key_pem(),
                                        .pem_cert_chain = client.certificate_pem()});
  }

  const tls::Made authority = tls::make_certificate({.name = "authority"});
  TemporaryFolder folder;
  Limits limits;
  std::shared_ptr<grpc::ChannelCredentials> credentials;
};

}  // namespace

namespace {

// Answers with the identity of its caller.
class Greeter final : public v1::RockPaperScissorsService::Service {
 public:
  explicit Greeter(const PeerTable& peers) : peers_(peers) {}

  grpc::Status Play(grpc::ServerContext* context, const v1::PlayRequest*,
                    v1::PlayResponse*) override {
    const auto peer = peers_.find(context->peer());
    return {grpc::StatusCode::ABORTED, peer ? peer->identity : "nobody"};
  }

 private:
  const PeerTable& peers_;
};

}  // namespace

TEST_CASE("While a client is connected, its calls find its identity by their peer's address") {
  const Secured secured;
  RunningServer unused;
  const auto peers = std::make_shared<PeerTable>();
  TransportSecurity security(secured.limits.tls, peers, unused.metrics, unused.log.logger());
  Greeter service(*peers);
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  const auto acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  const auto server = builder.BuildAndStart();
  const auto listening = net::listen_on({.host = "127.0.0.1", .port = 0}, net::PortSharing::no);
  std::string address;
  std::jthread accepting([&] {
    pollfd waiting{.fd = listening.front().get(), .events = POLLIN, .revents = 0};
    ::poll(&waiting, 1, 60'000);
    const int fd =
        ::accept4(listening.front().get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    address = peer_address_of(fd);
    boundary::attach(fd, security.protect(fd));
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.fd = fd;
    acceptor->HandleNewConnection(&parameters);
  });

  {
    grpc::ClientContext context;
    v1::PlayResponse response;
    const auto channel = grpc::CreateChannel(
        "127.0.0.1:" + std::to_string(net::port_of(listening.front())), secured.credentials);
    const grpc::Status status =
        v1::RockPaperScissorsService::NewStub(channel)->Play(&context, {}, &response);
    accepting.join();
    CHECK(status.error_message() == "spiffe://rps/alice");
    CHECK(peers->find(address)->identity == "spiffe://rps/alice");
  }
  const Clock::time_point patience = Clock::now() + std::chrono::seconds(60);
  while (peers->find(address) && Clock::now() < patience) std::this_thread::yield();
  CHECK(peers->find(address) == nullptr);
  server->Shutdown();
}

TEST_CASE("The server serves over TLS") {
  const Secured secured;
  const RunningServer at(secured.limits, {.seed = 7}, {.host = "127.0.0.1", .port = 0});
  const std::string url = at.server->url();
  REQUIRE(url.starts_with("grpcs://"));
  grpc::ClientContext context;
  v1::PlayRequest request;
  request.set_player_move(v1::ROCK);
  v1::PlayResponse response;
  const auto channel =
      grpc::CreateChannel(url.substr(std::string("grpcs://").size()), secured.credentials);
  const grpc::Status status =
      v1::RockPaperScissorsService::NewStub(channel)->Play(&context, request, &response);
  CHECK(status.error_message().empty());
  CHECK(at.metric("rps_tls_handshakes_total{result=\"accepted\"}") == 1);
}

TEST_CASE("A server does not start with TLS where nothing can stand before its sockets") {
  const Secured secured;
  RunningServer unused;
  ConnectionFilters filters(secured.limits, unused.metrics, unused.log.logger());
  const auto budget = std::make_shared<boundary::ConnectionBudget>(1);
  CHECK_THROWS_WITH(filters.start([](const net::Fd&) {}, *budget),
                    Catch::StartsWith("TLS cannot work: nothing can stand between"));
}
