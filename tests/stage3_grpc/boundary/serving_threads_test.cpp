#include "stage3_grpc/boundary/serving_threads.hpp"

#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <grpc/support/cpu.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "core/server/cpus.hpp"
#include "rps/v1/rps.grpc.pb.h"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::rpc;
using namespace rps::rpc::boundary;
using namespace std::chrono_literals;

namespace {

// Notes which threads it is called by. Score blocks until it is let go.
class Handlers final : public v1::RockPaperScissorsService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Play(grpc::CallbackServerContext* context, const v1::PlayRequest*,
                                 v1::PlayResponse*) override {
    return answer(*context);
  }

  grpc::ServerUnaryReactor* Score(grpc::CallbackServerContext* context, const v1::ScoreRequest*,
                                  v1::ScoreResponse*) override {
    entered.count_down();
    let_go.wait();
    return answer(*context);
  }

  std::set<std::thread::id> threads() {
    const std::scoped_lock lock(mutex_);
    return threads_;
  }

  std::latch entered{1};
  std::latch let_go{1};

 private:
  grpc::ServerUnaryReactor* answer(grpc::CallbackServerContext& context) {
    {
      const std::scoped_lock lock(mutex_);
      threads_.insert(std::this_thread::get_id());
    }
    grpc::ServerUnaryReactor* const reactor = context.DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  std::mutex mutex_;
  std::set<std::thread::id> threads_;
};

struct Running {
  explicit Running(unsigned count, Clock::duration busy_poll = 20us) : threads(count, busy_poll) {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.RegisterService(&handlers);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    {
      const ServingThreads::Handover handover(threads);
      server = builder.BuildAndStart();
    }
    REQUIRE(server);
    stub = v1::RockPaperScissorsService::NewStub(grpc::CreateChannel(
        "127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
  }

  grpc::Status play() const {
    grpc::ClientContext context;
    v1::PlayResponse response;
    return stub->Play(&context, {}, &response);
  }

  grpc::Status score() const {
    grpc::ClientContext context;
    v1::ScoreResponse response;
    return stub->Score(&context, {}, &response);
  }

  // From several threads at once.
  void play_many() const {
    std::vector<std::thread> players;
    for (int player = 0; player < 8; ++player) {
      players.emplace_back([this] {
        for (int round = 0; round < 50; ++round) CHECK(play().ok());
      });
    }
    for (std::thread& player : players) player.join();
  }

  Handlers handlers;
  ServingThreads threads;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<v1::RockPaperScissorsService::Stub> stub;
};

}  // namespace

TEST_CASE("So many threads run the calls as were asked for") {
  for (const unsigned count : {1U, 2U, 4U}) {
    for (const Clock::duration busy_poll : {0us, 20us}) {
      CAPTURE(count, busy_poll.count());
      Running running(count, busy_poll);
      CHECK(running.threads.is_taken());
      running.play_many();
      CHECK(running.handlers.threads().size() <= count);
    }
  }
}

TEST_CASE("A call that takes long does not hold up others when there is another thread") {
  Running running(2);
  auto score = std::async(std::launch::async, [&] { return running.score(); });
  running.handlers.entered.wait();
  for (int i = 0; i < 10; ++i) CHECK(running.play().ok());
  running.handlers.let_go.count_down();
  CHECK(score.get().ok());
}

TEST_CASE("A shutdown ends the threads when the calls that run are answered") {
  Running running(1);
  auto score = std::async(std::launch::async, [&] { return running.score(); });
  running.handlers.entered.wait();
  auto shutdown = std::async(std::launch::async, [&] { running.server->Shutdown(); });
  CHECK(shutdown.wait_for(50ms) == std::future_status::timeout);
  running.handlers.let_go.count_down();
  CHECK(score.get().ok());
  shutdown.get();
}

TEST_CASE("Threads that no server has taken end") {
  const ServingThreads threads(4, 20us);
  CHECK_FALSE(threads.is_taken());
}

TEST_CASE("A server that was not started gives the threads back") {
  Handlers handlers;
  ServingThreads threads(2, 20us);
  grpc::ServerBuilder builder;
  builder.RegisterService(&handlers);
  builder.AddListeningPort("unix:/no/such/folder/socket", grpc::InsecureServerCredentials());
  const ServingThreads::Handover handover(threads);
  CHECK_FALSE(builder.BuildAndStart());
}

TEST_CASE("A server for which there are no threads gets gRPC's own") {
  Handlers handlers;
  grpc::ServerBuilder builder;
  builder.RegisterService(&handlers);
  const auto server = builder.BuildAndStart();
  REQUIRE(server);
  server->Shutdown();
}

TEST_CASE("Servers come and go") {
  for (int i = 0; i < 20; ++i) {
    Running running(1 + static_cast<unsigned>(i) % 3);
    CHECK(running.play().ok());
  }
}

TEST_CASE("gRPC's pools follow the CPUs that the process may use") {
  CHECK(gpr_cpu_num_cores() == server::usable_cpus().count());
  for (int i = 0; i < 100; ++i) CHECK(gpr_cpu_current_cpu() < gpr_cpu_num_cores());
}
