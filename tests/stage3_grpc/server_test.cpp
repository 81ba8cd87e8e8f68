#include "stage3_grpc/server.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

#include "core/net/endpoint.hpp"
#include "core/net/fd.hpp"
#include "core/url.hpp"
#include "stage3_grpc/contract/status.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/running_server.hpp"

using namespace rps;
using namespace rps::rpc;

namespace {

v1::PlayRequest rock() {
  v1::PlayRequest request;
  request.set_player_move(v1::ROCK);
  return request;
}

grpc::Status play(RunningServer& at) {
  grpc::ClientContext context;
  v1::PlayResponse response;
  return at.stub->Play(&context, rock(), &response);
}

struct PlayMany {
  explicit PlayMany(RunningServer& at) : writer(at.stub->PlayMany(&context, &summary)) {}

  void play() const { writer->Write(rock()); }

  grpc::ClientContext context;
  v1::PlayManyResponse summary;
  std::unique_ptr<grpc::ClientWriter<v1::PlayRequest>> writer;
};

void wait_for_rounds(const RunningServer& at, int count) {
  const Clock::time_point patience = Clock::now() + std::chrono::seconds(10);
  while (!at.counted("play", "ok", count) && Clock::now() < patience) std::this_thread::yield();
  REQUIRE(at.counted("play", "ok", count));
}

}  // namespace

TEST_CASE("The URL names the port that was chosen") {
  RunningServer at;
  const auto url = parse_url(at.server->url());
  REQUIRE(url);
  CHECK(url->scheme == "grpc");
  CHECK(url->host == "127.0.0.1");
  CHECK(url->port != 0);
  CHECK(play(at).ok());
}

TEST_CASE("An IPv6 address stands in brackets") {
  RunningServer at({}, {.seed = 7}, {.host = "::1", .port = 0});
  CHECK(at.server->url().starts_with("grpc://[::1]:"));
  CHECK(play(at).ok());
}

TEST_CASE("A port that is taken is not shared, and the reason is told") {
  RunningServer at;
  const auto url = parse_url(at.server->url());
  CHECK_THROWS_WITH(RunningServer({}, {}, {.host = url->host, .port = url->port}),
                    Catch::Contains(at.target()) && Catch::Contains("in use"));
  CHECK_THROWS_AS(RunningServer({}, {}, {.host = "192.0.2.1", .port = 0}), std::runtime_error);
  CHECK_THROWS_AS(RunningServer({}, {}, {.host = "no-such-host.invalid", .port = 0}),
                  std::runtime_error);
}

TEST_CASE("Once it stops accepting, new calls are unavailable") {
  RunningServer at;
  REQUIRE(play(at).ok());
  at.server->stop_accepting();
  const grpc::Status refused = play(at);
  CHECK(refused.error_code() == grpc::UNAVAILABLE);
  CHECK(error_of(refused, Operation::play) == Error::unavailable);
  CHECK(at.server->drain(Clock::now() + std::chrono::seconds(10)));
}

TEST_CASE("Draining ends open streams that wait, and nothing is cut off") {
  RunningServer at;
  grpc::ClientContext rally_context;
  const auto rally = at.stub->Rally(&rally_context);
  rally->Write(rock());
  v1::PlayResponse response;
  REQUIRE(rally->Read(&response));
  grpc::ClientContext duel_context;
  const auto duel = at.stub->Duel(&duel_context);
  v1::DuelRequest join;
  join.mutable_join()->set_game_id("g");
  join.mutable_join()->set_player_id("p");
  duel->Write(join);
  v1::DuelResponse joined;
  REQUIRE(duel->Read(&joined));

  at.server->stop_accepting();
  CHECK(at.server->drain(Clock::now() + std::chrono::seconds(10)));
  CHECK_FALSE(rally->Read(&response));
  CHECK(rally->Finish().error_code() == grpc::UNAVAILABLE);
  CHECK_FALSE(duel->Read(&joined));
  CHECK(duel->Finish().error_code() == grpc::UNAVAILABLE);
}

TEST_CASE("A PlayMany that runs may finish while the server drains; another may not begin") {
  RunningServer at;
  PlayMany running(at);
  running.play();
  wait_for_rounds(at, 1);
  at.server->stop_accepting();
  running.play();
  running.writer->WritesDone();
  CHECK(running.writer->Finish().ok());
  CHECK(running.summary.rounds() == 2);

  PlayMany late(at);
  late.play();
  CHECK(late.writer->Finish().error_code() == grpc::UNAVAILABLE);
  grpc::ClientContext rally_context;
  const auto rally = at.stub->Rally(&rally_context);
  CHECK(rally->Finish().error_code() == grpc::UNAVAILABLE);
}

TEST_CASE("A call that never ends is cut off at the deadline") {
  RunningServer at;
  PlayMany running(at);
  running.play();
  wait_for_rounds(at, 1);
  at.server->stop_accepting();
  CHECK_FALSE(at.server->drain(Clock::now() + std::chrono::milliseconds(50)));
  CHECK_FALSE(running.writer->Finish().ok());
}

TEST_CASE("A server that is destroyed with open streams does not hang") {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PlayRequest, v1::PlayResponse>> rally;
  {
    RunningServer at;
    rally = at.stub->Rally(&context);
    rally->Write(rock());
    v1::PlayResponse response;
    REQUIRE(rally->Read(&response));
  }
  CHECK_FALSE(rally->Finish().ok());
}

TEST_CASE(
    "Without the flood guard connections past the limit are turned away until others have gone") {
  constexpr std::size_t limit = 8;
  const bool coalesces_writes = GENERATE(true, false);
  RunningServer at(
      {.connections_max = limit, .has_flood_guard = false, .coalesces_writes = coalesces_writes});
  const auto url = parse_url(at.server->url());
  const auto open = [&] {
    return net::connect_tcp(url->host, url->port, std::chrono::milliseconds(2000));
  };
  // A server greets with SETTINGS whoever may stay, and closes at once otherwise.
  const auto may_stay = [](const net::Fd& connection) {
    pollfd ready{.fd = connection.get(), .events = POLLIN, .revents = 0};
    char byte = 0;
    return ::poll(&ready, 1, 10'000) == 1 && ::recv(connection.get(), &byte, 1, 0) == 1;
  };
  std::vector<net::Fd> connections;
  while (connections.size() < limit) {
    connections.push_back(open());
    REQUIRE(may_stay(connections.back()));
  }
  CHECK_FALSE(may_stay(open()));
  CHECK(at.metrics.text().contains("rps_connections_refused_total{reason=\"limit\"} 1\n"));
  connections.clear();
  const Clock::time_point patience = Clock::now() + std::chrono::seconds(10);
  bool found_room = false;
  while (!found_room && Clock::now() < patience) found_room = may_stay(open());
  CHECK(found_room);
}

TEST_CASE("Open connections are counted while they are open, and those that have gone are not") {
  RunningServer at;
  const auto url = parse_url(at.server->url());
  const auto becomes = [&](double open) {
    const Clock::time_point patience = Clock::now() + std::chrono::seconds(60);
    while (at.metric("rps_connections") != open && Clock::now() < patience) {
      std::this_thread::yield();
    }
    return at.metric("rps_connections") == open;
  };
  CHECK(becomes(0));
  std::vector<net::Fd> connections;
  for (int i = 0; i < 3; ++i) {
    connections.push_back(net::connect_tcp(url->host, url->port, std::chrono::seconds(60)));
  }
  CHECK(becomes(3));
  CHECK(at.metric("rps_connections_total") == 3);
  connections.pop_back();
  CHECK(becomes(2));
  connections.clear();
  CHECK(becomes(0));
  CHECK(at.metric("rps_connections_total") == 3);
}
