#include <condition_variable>
#include <csignal>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "rps/v1/rps.grpc.pb.h"
#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/contract/status.hpp"
#include "tests/bench/synthetic/due_queue.hpp"
#include "tests/bench/synthetic/server.hpp"

namespace rps::synthetic {

namespace {

using Methods = v1::RockPaperScissorsService;
using CallbackMethods =
    Methods::WithCallbackMethod_Play<Methods::WithCallbackMethod_Score<Methods::Service>>;

// Ends calls when they are due, on a thread of its own: gRPC's own timers count milliseconds.
class Finisher {
 public:
  explicit Finisher(Script& script)
      : script_(script), thread_([this](const std::stop_token& stop) { run(stop); }) {}

  void finish_at(Clock::time_point at, grpc::ServerUnaryReactor* reactor, grpc::Status status) {
    {
      const std::scoped_lock lock(mutex_);
      queue_.push(at, {reactor, std::move(status)});
    }
    changed_.notify_one();
  }

 private:
  struct Ending {
    grpc::ServerUnaryReactor* reactor;
    grpc::Status status;
  };

  void run(const std::stop_token& stop) {
    keep_time_exactly();
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      changed_.wait(lock, stop, [&] { return !queue_.empty(); });
      if (queue_.empty()) continue;
      const Clock::time_point due_at = queue_.next_at();
      if (Clock::now() + spin_max < due_at) {
        changed_.wait_until(lock, stop, due_at - spin_max,
                            [&] { return queue_.next_at() < due_at; });
        continue;
      }
      Ending ending = queue_.pop();
      lock.unlock();
      while (Clock::now() < due_at) {
      }
      script_.answered(Clock::now() - due_at);
      ending.reactor->Finish(std::move(ending.status));
      lock.lock();
    }
  }

  Script& script_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  DueQueue<Ending> queue_;
  std::jthread thread_;  // Last: it uses all of the above.
};

class Service final : public CallbackMethods {
 public:
  Service(Game& game, Script& script) : game_(game), script_(script), finisher_(script) {}

 private:
  grpc::ServerUnaryReactor* Play(grpc::CallbackServerContext* context,
                                 const v1::PlayRequest* request,
                                 v1::PlayResponse* response) override {
    return answer(*context, [&](Clock::time_point now, Fate fate) {
      return carry_out(*request, now, fate, *response);
    });
  }

  grpc::ServerUnaryReactor* Score(grpc::CallbackServerContext* context,
                                  const v1::ScoreRequest* request,
                                  v1::ScoreResponse* response) override {
    return answer(*context, [&](Clock::time_point now, Fate fate) {
      return carry_out(*request, now, fate, *response);
    });
  }

  template <class Request, class Response>
  grpc::Status carry_out(const Request& request, Clock::time_point now, Fate fate,
                         Response& response) {
    Caller caller(game_, {});
    Reply reply = game_.handle(rpc::read(request), caller, now);
    if (reply.error) return rpc::to_status(*reply.error);
    if (fate == Fate::wrong) reply.result = falsified(reply.result);
    rpc::write(reply, response);
    return grpc::Status::OK;
  }

  template <class Respond>
  grpc::ServerUnaryReactor* answer(grpc::CallbackServerContext& context, const Respond& respond) {
    const Clock::time_point read_at = Clock::now();
    const Script::Step step = script_.next();
    grpc::Status status =
        step.fate == Fate::error ? rpc::to_status(Error::internal) : respond(read_at, step.fate);
    grpc::ServerUnaryReactor* const reactor = context.DefaultReactor();
    finisher_.finish_at(read_at + step.delay, reactor, std::move(status));
    return reactor;
  }

  Game& game_;
  Script& script_;
  Finisher finisher_;
};

void wait_for_end() {
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  int signal = 0;
  ::sigwait(&ends, &signal);
}

}  // namespace

void serve_grpc(const HostPort& listen, Game& game, Script& script, const Ready& ready) {
  Service service(game, script);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(to_string(listen), grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server || port == 0) throw std::runtime_error("cannot listen on " + to_string(listen));
  ready({.host = listen.host, .port = static_cast<std::uint16_t>(port)});
  wait_for_end();
  // Calls that wait are ended while the service still is; the rest of their wait is not kept.
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
}

}  // namespace rps::synthetic
