// A server in the test's own process, with an ordinary generated stub that talks to it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <grpcpp/create_channel.h>

#include "core/game.hpp"
#include "core/server/log.hpp"
#include "core/server/metrics.hpp"
#include "rps/v1/rps.grpc.pb.h"
#include "stage3_grpc/server.hpp"
#include "tests/catch.hpp"

namespace rps::rpc {

struct RunningServer {
  explicit RunningServer(const Limits& own_limits = {},
                         const GameOptions& game_options = {.seed = 7},
                         const HostPort& listen = {.host = "127.0.0.1", .port = 0})
      : flags{.listen = listen},
        game(game_options),
        metrics(game),
        log("test", {.level = server::LogLevel::off}),
        limits(own_limits),
        server(std::make_unique<GrpcServer>(server::Context{.flags = flags,
                                                            .game = game,
                                                            .metrics = metrics,
                                                            .log = log.logger(),
                                                            .bulk_log = log.bulk()},
                                            limits)),
        channel(grpc::CreateChannel(target(), grpc::InsecureChannelCredentials())),
        stub(v1::RockPaperScissorsService::NewStub(channel)) {}

  std::string target() const { return server->url().substr(std::string("grpc://").size()); }

  // Whether a scrape shows `count` answers to `operation`; `outcome` is "ok" or an error's name.
  bool counted(const std::string& operation, const std::string& outcome, int count) const {
    const std::string line = "rps_requests_total{operation=\"" + operation + "\",error_class=\"" +
                             outcome + "\"} " + std::to_string(count) + "\n";
    return metrics.text().contains(line);
  }

  // What a scrape shows of one sample, named with its labels.
  double metric(const std::string& sample) const {
    const std::string text = "\n" + metrics.text();
    const std::size_t at = text.find("\n" + sample + " ");
    REQUIRE(at != std::string::npos);
    return std::stod(text.substr(at + sample.size() + 2));
  }

  server::ServerFlags flags;
  Game game;
  server::Metrics metrics;
  server::Log log;
  Limits limits;
  std::unique_ptr<GrpcServer> server;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::RockPaperScissorsService::Stub> stub;
};

}  // namespace rps::rpc
