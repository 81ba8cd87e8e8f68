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
#include <utility>
#include <vector>

#include "stage3_grpc/client.hpp"
#include "stage3_grpc/contract/status.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/loopback_server.hpp"
#include "tests/stage3_grpc/notes.hpp"
#include "tests/stage3_grpc/running_server.hpp"

using namespace rps;
using namespace rps::rpc;

namespace {

// A server of one duel that shows a round to the spectator as soon as both have thrown, and replies
// to the throws when the test says so. A score is answered at once.
class HoldingServer final : public v1::RockPaperScissorsService::Service {
 public:
  std::string url() const { return server_.url() + "?mode=watch"; }

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

  LoopbackServer server_{*this};
};

// A server that answers each Watch with the same responses and the same status, and with
// `retry_after_ms`.
class ShowingServer final : public v1::RockPaperScissorsService::Service {
 public:
  static constexpr std::uint32_t retry_after_ms = 42;

  ShowingServer(std::vector<v1::WatchResponse> responses, grpc::Status status)
      : responses_(std::move(responses)), status_(std::move(status)) {}

  std::string url() const { return server_.url(); }

 private:
  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest*,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override {
    context->AddTrailingMetadata(retry_after_key, std::to_string(retry_after_ms));
    for (const v1::WatchResponse& response : responses_) writer->Write(response);
    return status_;
  }

  const std::vector<v1::WatchResponse> responses_;
  const grpc::Status status_;
  LoopbackServer server_{*this};
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

TEST_CASE("A watch that ends before its duel is over is told of, with the reason") {
  const auto good = [] {
    v1::WatchResponse response;
    response.mutable_state()->set_game_id("g");
    response.mutable_snapshot();
    return response;
  };
  v1::WatchResponse nonsense = good();
  nonsense.mutable_joined()->set_seat(3);
  v1::WatchResponse last = good();
  last.mutable_state()->set_over(true);
  const Command watch{.operation = Operation::watch, .game_id = "g"};

  SECTION("By the server") {
    const auto error = GENERATE(Error::unavailable, Error::overloaded);
    ShowingServer server({good()}, to_status(error));
    const auto client = connect(*parse_url(server.url()), {});
    Notes notes;
    CHECK_FALSE(ask(*client, notes, 7, watch).error);
    poll_until(*client, notes, [&] { return notes.ended.contains(7); });
    CHECK(notes.seen.size() == 1);
    CHECK(notes.ended.find(7)->second.error == error);
    CHECK(notes.ended.find(7)->second.retry_after_ms == ShowingServer::retry_after_ms);
  }
  SECTION("By a response that is no observation, or by OK") {
    const bool is_nonsense = GENERATE(true, false);
    using Responses = std::vector<v1::WatchResponse>;
    ShowingServer server(is_nonsense ? Responses{good(), nonsense, good()} : Responses{good()},
                         grpc::Status::OK);
    const auto client = connect(*parse_url(server.url()), {});
    Notes notes;
    CHECK_FALSE(ask(*client, notes, 7, watch).error);
    poll_until(*client, notes, [&] { return notes.ended.contains(7); });
    CHECK(notes.seen.size() == 1);
    CHECK(notes.ended.find(7)->second.error == Error::internal);
  }
  SECTION("By the reply when nothing was shown") {
    ShowingServer server({nonsense}, grpc::Status::OK);
    const auto client = connect(*parse_url(server.url()), {});
    Notes notes;
    CHECK(ask(*client, notes, 7, watch).error == Error::internal);
    CHECK(ask(*client, notes, 8, watch).error == Error::internal);
    CHECK(notes.ended.empty());
    CHECK(notes.seen.empty());
  }
  SECTION("Not when the duel is over") {
    ShowingServer server({good(), last}, to_status(Error::unavailable));
    const auto client = connect(*parse_url(server.url()), {});
    Notes notes;
    for (std::uint64_t id = 1; id <= 2; ++id) {
      CHECK_FALSE(ask(*client, notes, id, watch).error);
      poll_until(*client, notes, [&] { return notes.seen.size() == 2 * id; });
    }
    CHECK(notes.seen.back().is_over);
    CHECK(notes.ended.empty());
  }
}

TEST_CASE("A watch ends when its server is gone") {
  auto at = std::make_unique<RunningServer>();
  const auto client = connect(*parse_url(at->server->url()), {});
  Notes notes;
  REQUIRE_FALSE(
      ask(*client, notes, 1, {.operation = Operation::join, .game_id = "g", .player_id = "p"})
          .error);
  CHECK_FALSE(ask(*client, notes, 2, {.operation = Operation::watch, .game_id = "g"}).error);
  poll_until(*client, notes, [&] { return !notes.seen.empty(); });
  if (GENERATE(true, false)) {
    at->server->stop_accepting();
  } else {
    at.reset();
  }
  poll_until(*client, notes, [&] { return notes.ended.contains(2); });
  CHECK(notes.ended.find(2)->second.error == Error::unavailable);
}
