// What the client does with Watch, and plays that are rounds of a watched duel.
#include "stage3_grpc/client_watch.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "stage3_grpc/client.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/notes.hpp"

using namespace rps;
using namespace rps::rpc;

namespace {

// A server of one duel that shows a round to the spectator as soon as both have thrown, and replies
// to the throws when the test says so. A score is answered at once.
class HoldingServer final : public v1::RockPaperScissorsService::Service {
 public:
  HoldingServer() {
    grpc::ServerBuilder builder;
    builder.RegisterService(this);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    server_ = builder.BuildAndStart();
    REQUIRE(server_);
  }
  ~HoldingServer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string url() const { return "grpc://127.0.0.1:" + std::to_string(port_) + "?mode=watch"; }

  // Replies to the throws that have arrived.
  void reply() {
    const std::scoped_lock lock(mutex_);
    v1::DuelResponse accepted;
    accepted.mutable_accepted();
    for (; unanswered_ > 0; --unanswered_) players_->Write(accepted);
  }

  // Throws that were without a reply at once, at most.
  std::size_t unanswered_most() {
    const std::scoped_lock lock(mutex_);
    return unanswered_most_;
  }

 private:
  using Players = grpc::ServerReaderWriter<v1::DuelResponse, v1::DuelRequest>;

  grpc::Status Duel(grpc::ServerContext*, Players* players) override {
    v1::DuelRequest request;
    while (players->Read(&request)) {
      const std::scoped_lock lock(mutex_);
      players_ = players;
      if (request.has_throw_()) {
        note(request.throw_());
      } else {
        v1::DuelResponse joined;
        joined.mutable_joined()->set_seat(++joined_);
        players->Write(joined);
      }
    }
    return grpc::Status::OK;
  }

  void note(const v1::ThrowRequest& thrown) {
    unanswered_most_ = std::max(unanswered_most_, ++unanswered_);
    round_.set_first_result(v1::DRAW);
    if (thrown.player_id() == "first") {
      round_.set_first_move(thrown.move());
    } else {
      round_.set_second_move(thrown.move());
      rounds_.push_back(round_);
      shown_.notify_one();
    }
  }

  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest*,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override {
    v1::WatchResponse response;
    response.mutable_snapshot();
    writer->Write(response);
    std::unique_lock lock(mutex_);
    for (std::size_t next = 0; !context->IsCancelled();) {
      shown_.wait_for(lock, std::chrono::milliseconds(10));
      for (; next < rounds_.size(); ++next) {
        *response.mutable_round_over() = rounds_[next];
        writer->Write(response);
      }
    }
    return grpc::Status::CANCELLED;
  }

  grpc::Status Score(grpc::ServerContext*, const v1::ScoreRequest*, v1::ScoreResponse*) override {
    return grpc::Status::OK;
  }

  std::mutex mutex_;  // Guards what follows, and writes to `players_`.
  std::condition_variable shown_;
  Players* players_ = nullptr;
  std::uint32_t joined_ = 0;
  std::size_t unanswered_ = 0;
  std::size_t unanswered_most_ = 0;
  v1::RoundShown round_;
  std::vector<v1::RoundShown> rounds_;

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

TEST_CASE("The next moves of a watched duel are thrown when the last ones are answered") {
  HoldingServer server;
  const auto client = connect(*parse_url(server.url()), {.connections = 1, .depth = 2});
  Notes notes;
  constexpr std::uint64_t rounds = 20;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    client->submit(round, {.move = Move::rock});
    // Behind moves that were thrown too early this arrives later than they do.
    ask(*client, notes, rounds + round, {.operation = Operation::score, .session_id = "s"});
    server.reply();
    poll_until(*client, notes, [&] { return notes.answers.contains(round); });
    CHECK_FALSE(notes.replies[round].error);
  }
  CHECK(server.unanswered_most() == 2);
}
