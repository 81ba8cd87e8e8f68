#include "stage3_grpc/peer_table.hpp"

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/net/fd.hpp"
#include "core/net/listen.hpp"
#include "rps/v1/rps.grpc.pb.h"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::rpc;

namespace {

std::shared_ptr<const Peer> peer(const std::string& identity) {
  return std::make_shared<const Peer>(Peer{.identity = identity});
}

}  // namespace

TEST_CASE("A peer is found by its address until it is removed") {
  PeerTable table;
  CHECK(table.find("ipv4:127.0.0.1:4242") == nullptr);
  const auto alice = peer("alice");
  table.add("ipv4:127.0.0.1:4242", alice);
  CHECK(table.find("ipv4:127.0.0.1:4242") == alice);
  CHECK(table.find("ipv4:127.0.0.1:424") == nullptr);
  table.remove("ipv4:127.0.0.1:4243", *alice);
  table.remove("ipv4:127.0.0.1:4242", *peer("alice"));
  CHECK(table.find("ipv4:127.0.0.1:4242") == alice);
  table.remove("ipv4:127.0.0.1:4242", *alice);
  CHECK(table.find("ipv4:127.0.0.1:4242") == nullptr);
}

TEST_CASE("An address at which different identities are connected has none") {
  PeerTable table;
  const auto alice = peer("alice");
  const auto also_alice = peer("alice");
  const auto mallory = peer("mallory");
  table.add("ipv4:1.2.3.4:5", alice);
  table.add("ipv4:1.2.3.4:5", also_alice);
  CHECK(table.find("ipv4:1.2.3.4:5")->identity == "alice");
  table.add("ipv4:1.2.3.4:5", mallory);
  CHECK(table.find("ipv4:1.2.3.4:5") == nullptr);
  table.remove("ipv4:1.2.3.4:5", *alice);
  CHECK(table.find("ipv4:1.2.3.4:5") == nullptr);
  table.remove("ipv4:1.2.3.4:5", *mallory);
  CHECK(table.find("ipv4:1.2.3.4:5") == also_alice);
}

TEST_CASE("An entry of the peer table goes when its connection does") {
  const auto table = std::make_shared<PeerTable>();
  {
    const PeerEntry entry(table, "ipv4:1.2.3.4:5", {.identity = "alice"});
    CHECK(table->find("ipv4:1.2.3.4:5")->identity == "alice");
  }
  CHECK(table->find("ipv4:1.2.3.4:5") == nullptr);
}

TEST_CASE("Threads may add, find and remove peers at once") {
  const auto table = std::make_shared<PeerTable>();
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&table, thread] {
      for (int i = 0; i < 1'000; ++i) {
        const std::string address =
            "ipv4:1.2.3." + std::to_string(thread) + ":" + std::to_string(i);
        const PeerEntry entry(table, address, {.identity = address});
        const auto found = table->find(address);
        if (!found || found->identity != address) std::abort();
        table->find("ipv4:1.2.3.0:" + std::to_string(i));
      }
    });
  }
  threads.clear();
  CHECK(table->find("ipv4:1.2.3.0:0") == nullptr);
}

namespace {

// Answers with what gRPC calls its peer.
class PeerTeller final : public v1::RockPaperScissorsService::Service {
  grpc::Status Play(grpc::ServerContext* context, const v1::PlayRequest*,
                    v1::PlayResponse*) override {
    return {grpc::StatusCode::ABORTED, context->peer()};
  }
};

}  // namespace

TEST_CASE("An address is spelled as gRPC spells that of a call's peer") {
  PeerTeller service;
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  const auto acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  const auto server = builder.BuildAndStart();

  // At an address of both families a client over IPv4 has an IPv4 address in an IPv6 one.
  const net::Fd both(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int off = 0;
  REQUIRE(::setsockopt(both.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0);
  REQUIRE(::listen(both.get(), 8) == 0);
  const auto only_ipv4 = net::listen_on({.host = "127.0.0.1", .port = 0}, net::PortSharing::no);
  struct Case {
    std::string target;
    int listening;
    std::string beginning;
  };
  for (const Case& each : {
           Case{"127.0.0.1:" + std::to_string(net::port_of(only_ipv4.front())),
                only_ipv4.front().get(), "ipv4:127.0.0.1:"},
           Case{"127.0.0.1:" + std::to_string(net::port_of(both)), both.get(), "ipv4:127.0.0.1:"},
           Case{"[::1]:" + std::to_string(net::port_of(both)), both.get(), "ipv6:%5B::1%5D:"},
       }) {
    const auto channel = grpc::CreateChannel(each.target, grpc::InsecureChannelCredentials());
    std::string spelled;
    std::jthread accepting([&] {
      pollfd waiting{.fd = each.listening, .events = POLLIN, .revents = 0};
      ::poll(&waiting, 1, 10'000);
      net::Fd connection(::accept4(each.listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      spelled = peer_address_of(connection.get());
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
      parameters.fd = connection.release();
      acceptor->HandleNewConnection(&parameters);
    });
    grpc::ClientContext context;
    v1::PlayResponse response;
    const grpc::Status status =
        v1::RockPaperScissorsService::NewStub(channel)->Play(&context, {}, &response);
    accepting.join();
    CHECK(spelled.starts_with(each.beginning));
    CHECK(status.error_message() == spelled);
  }
  server->Shutdown();
}

TEST_CASE("What is not connected over IP has no address") {
  CHECK(peer_address_of(-1).empty());
  const net::Fd alone(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(peer_address_of(alone.get()).empty());
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const net::Fd first(ends[0]);
  const net::Fd second(ends[1]);
  CHECK(peer_address_of(first.get()).empty());
}
