// A server whose rounds tell over which connection they came, and a client that plays for many
// players.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/client.hpp"
#include "rps/v1/rps.grpc.pb.h"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/loopback_server.hpp"

namespace rps::rpc {

// Every round is a draw whose reason is the address of the peer.
class PeerServer final : public v1::RockPaperScissorsService::Service {
 public:
  std::string target() const { return server_.target(); }

 private:
  grpc::Status Play(grpc::ServerContext* context, const v1::PlayRequest*,
                    v1::PlayResponse* response) override {
    response->set_opponent_move(v1::ROCK);
    response->set_result(v1::DRAW);
    response->set_reason(context->peer());
    return grpc::Status::OK;
  }

  LoopbackServer server_{*this};
};

// Plays `rounds` rounds for each of the ids 0 … players - 1, submitted from outside on_reply and in
// changing order. Returns over which connections each id's rounds went.
inline std::map<std::uint64_t, std::set<std::string>> play_ids(Client& client,
                                                               std::uint64_t players, int rounds) {
  struct Peers final : Sink {
    virtual ~Peers() = default;
    void on_reply(std::uint64_t id, const Reply& reply, const Stamps&) override {
      CHECK_FALSE(reply.error);
      of[id].emplace(reply.reason);
      ++answered;
    }
    void on_event(const Event&) override {}
    std::map<std::uint64_t, std::set<std::string>> of;
    std::uint64_t answered = 0;
  } peers;
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(10);
  for (int round = 0; round < rounds; ++round) {
    peers.answered = 0;
    for (std::uint64_t i = 0; i < players; ++i) {
      client.submit(round % 2 == 0 ? i : players - 1 - i, {.move = Move::rock});
    }
    while (peers.answered < players && Clock::now() < deadline) client.poll(deadline, peers);
    REQUIRE(peers.answered == players);
  }
  return peers.of;
}

// Checks that id i plays over connection i % connections and over no other.
inline void check_ids_stay(Client& client, std::uint64_t connections, std::uint64_t players) {
  std::set<std::string> all;
  const auto peers = play_ids(client, players, 5);
  for (const auto& [id, used] : peers) {
    CAPTURE(id);
    CHECK(used.size() == 1);
    CHECK(used == peers.at(id % connections));
    all.insert(used.begin(), used.end());
  }
  CHECK(all.size() == connections);
}

}  // namespace rps::rpc
