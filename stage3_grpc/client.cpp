#include "stage3_grpc/client.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <grpcpp/channel.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/async_unary_call.h>
#include <grpcpp/support/channel_arguments.h>

#include "core/random.hpp"
#include "rps/v1/rps.grpc.pb.h"
#include "stage3_grpc/client_stream.hpp"
#include "stage3_grpc/convert.hpp"
#include "stage3_grpc/status.hpp"
#include "stage3_grpc/time.hpp"

namespace rps::rpc {

namespace {

using Stub = v1::RockPaperScissorsService::Stub;

constexpr std::chrono::milliseconds deadline_default{10'000};

// A server that has gone silent is noticed after these two; a server may refuse to be asked more
// often than once a minute.
constexpr int keepalive_after_ms = 60'000;
constexpr int keepalive_answer_ms = 10'000;

struct Settings {
  std::string target;  // host:port
  bool rally = false;
  std::chrono::milliseconds deadline = deadline_default;  // Zero: none.
};

Settings read_settings(const Url& url) {
  Settings settings{.target = to_string(HostPort{.host = url.host, .port = url.port})};
  for (const auto& [name, value] : url.query) {
    if (name == "mode" && (value == "rally" || value == "unary")) {
      settings.rally = value == "rally";
    } else if (name == "deadline_ms") {
      std::uint32_t count = 0;
      const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), count);
      if (failure != std::errc{} || end != value.data() + value.size()) {
        throw std::runtime_error("deadline_ms must be a number of milliseconds: '" + value + "'");
      }
      settings.deadline = std::chrono::milliseconds(count);
    } else {
      std::string message = "a grpc URL knows no '";
      message.append(name).append("=").append(value).append("'");
      throw std::runtime_error(message);
    }
  }
  return settings;
}

std::shared_ptr<grpc::Channel> open_channel(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // Else equal channels share a socket.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES,
                   0);  // Who measures or tests wants each answer as it is.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, keepalive_after_ms);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keepalive_answer_ms);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

std::uint32_t retry_after(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(retry_after_key);
  std::uint32_t milliseconds = 0;
  if (found != trailers.end()) {
    std::from_chars(found->second.begin(), found->second.end(), milliseconds);
  }
  return milliseconds;
}

class GrpcClient;

// One connection.
struct Lane;

// A call of one request and one response, used again and again.
class UnaryCall final : public Tag {
 public:
  UnaryCall(GrpcClient& client, Lane& lane) : client_(client), lane_(lane) {}

  void start(std::uint64_t id, const Command& command);
  void cancel() {
    if (context_) context_->TryCancel();
  }
  void complete(bool ok, Arrival& arrival) override;

 private:
  Reply read_reply() const;

  GrpcClient& client_;
  Lane& lane_;
  std::uint64_t id_ = 0;
  Operation operation_ = Operation::play;
  Clock::time_point sent_at_;
  std::optional<grpc::ClientContext> context_;  // gRPC wants a new one for each call.
  grpc::Status status_;
  v1::PlayRequest play_request_;
  v1::PlayResponse play_response_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::PlayResponse>> play_;
  v1::ScoreRequest score_request_;
  v1::ScoreResponse score_response_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::ScoreResponse>> score_;
};

class RallyCalls final : public ClientStream<v1::PlayRequest, v1::PlayResponse> {
 public:
  RallyCalls(GrpcClient& client, Lane& lane, std::size_t calls_max)
      : ClientStream(calls_max), client_(client), lane_(lane) {}

 private:
  std::unique_ptr<Wire> start(grpc::ClientContext& context, void* tag) override;
  void take(const v1::PlayResponse& response, Arrival& arrival) override {
    if (open_calls() > 0) answer(read(response), arrival);
  }
  void settled() override;

  GrpcClient& client_;
  Lane& lane_;
};

class DuelCalls final : public ClientStream<v1::DuelRequest, v1::DuelResponse> {
 public:
  DuelCalls(GrpcClient& client, Lane& lane, std::size_t calls_max)
      : ClientStream(calls_max), client_(client), lane_(lane) {}

 private:
  std::unique_ptr<Wire> start(grpc::ClientContext& context, void* tag) override;
  void take(const v1::DuelResponse& response, Arrival& arrival) override {
    if (!response.has_event()) {
      if (open_calls() > 0) answer(read(response, oldest_operation()), arrival);
    } else if (const auto event = read(response.event())) {
      arrival.event(*event);
    }
  }
  void settled() override {}  // Duels take no place of their connection.

  GrpcClient& client_;
  Lane& lane_;
};

struct Lane {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<Stub> stub;
  std::deque<UnaryCall> calls;
  std::vector<UnaryCall*> idle_calls;
  std::optional<RallyCalls> rally;
  std::optional<DuelCalls> duel;
};

// All connections complete into one queue, which the thread that polls waits on itself: an answer
// is handed over by the thread that read it from the socket.
class GrpcClient final : public Client {
 public:
  GrpcClient(const Settings& settings, const ConnectOptions& options);
  ~GrpcClient() override;

  void submit(std::uint64_t id, const Command& command) override;
  std::size_t poll(Clock::time_point deadline, Sink& sink) override;
  std::size_t in_flight_max() const override { return places_.size(); }

 private:
  friend class UnaryCall;
  friend class RallyCalls;
  friend class DuelCalls;

  struct Completion {
    Tag* tag = nullptr;
    bool ok = false;
  };

  void open_lane(const ConnectOptions& options);
  Lane& take_place();
  void give_place(Lane& lane);
  DuelCalls& duel_of(const Command& command);
  std::optional<Completion> next(Clock::time_point deadline);

  Settings settings_;
  grpc::CompletionQueue queue_;
  std::deque<Lane> lanes_;

  // A ring of the places for calls, `depth` for each lane; the free ones wait in turn.
  std::vector<Lane*> places_;
  std::size_t next_place_ = 0;
  std::size_t free_places_ = 0;
};

// ---- Calls ---------------------------------------------------------------------------------

void UnaryCall::start(std::uint64_t id, const Command& command) {
  id_ = id;
  operation_ = command.operation;
  context_.emplace();
  sent_at_ = Clock::now();
  if (client_.settings_.deadline.count() > 0) {
    context_->set_deadline(to_timespec(sent_at_ + client_.settings_.deadline));
  }
  if (operation_ == Operation::play) {
    write(command, play_request_);
    play_ = lane_.stub->AsyncPlay(&*context_, play_request_, &client_.queue_);
    play_->Finish(&play_response_, &status_, this);
  } else {
    write(command, score_request_);
    score_ = lane_.stub->AsyncScore(&*context_, score_request_, &client_.queue_);
    score_->Finish(&score_response_, &status_, this);
  }
}

void UnaryCall::complete(bool, Arrival& arrival) {
  const Reply reply = read_reply();
  play_.reset();
  score_.reset();
  context_.reset();
  lane_.idle_calls.push_back(this);
  client_.give_place(lane_);
  // The sink may start this call again. Its response is not touched before the next poll().
  arrival.reply(id_, reply, sent_at_);
}

Reply UnaryCall::read_reply() const {
  if (!status_.ok()) {
    return {.operation = operation_,
            .error = error_of(status_, operation_),
            .retry_after_ms = retry_after(*context_)};
  }
  return operation_ == Operation::play ? read(play_response_) : read(score_response_);
}

std::unique_ptr<RallyCalls::Wire> RallyCalls::start(grpc::ClientContext& context, void* tag) {
  return lane_.stub->AsyncRally(&context, &client_.queue_, tag);
}

void RallyCalls::settled() {
  client_.give_place(lane_);
}

std::unique_ptr<DuelCalls::Wire> DuelCalls::start(grpc::ClientContext& context, void* tag) {
  return lane_.stub->AsyncDuel(&context, &client_.queue_, tag);
}

// ---- The client ----------------------------------------------------------------------------

GrpcClient::GrpcClient(const Settings& settings, const ConnectOptions& options)
    : settings_(settings) {
  assert(options.connections > 0 && options.depth > 0);
  const gpr_timespec deadline = to_timespec(Clock::now() + options.timeout_max);
  places_.resize(options.connections * options.depth);
  for (std::size_t i = 0; i < options.connections; ++i) open_lane(options);
  for (Lane& lane : lanes_) lane.channel->GetState(true);
  for (Lane& lane : lanes_) {
    if (!lane.channel->WaitForConnected(deadline)) {
      throw std::runtime_error("cannot connect to grpc://" + settings.target);
    }
  }
  for (std::size_t i = 0; i < options.depth; ++i) {
    for (Lane& lane : lanes_) give_place(lane);
  }
}

GrpcClient::~GrpcClient() {
  for (Lane& lane : lanes_) {
    for (UnaryCall& call : lane.calls) call.cancel();
    if (lane.rally) lane.rally->cancel();
    if (lane.duel) lane.duel->cancel();
  }
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

void GrpcClient::open_lane(const ConnectOptions& options) {
  Lane& lane = lanes_.emplace_back();
  lane.channel = open_channel(settings_.target);
  lane.stub = v1::RockPaperScissorsService::NewStub(lane.channel);
  for (std::size_t i = 0; i < options.depth; ++i) {
    lane.idle_calls.push_back(&lane.calls.emplace_back(*this, lane));
  }
  if (settings_.rally) lane.rally.emplace(*this, lane, options.depth);
}

Lane& GrpcClient::take_place() {
  assert(free_places_ > 0);
  --free_places_;
  Lane& lane = *places_[next_place_];
  next_place_ = (next_place_ + 1) % places_.size();
  return lane;
}

void GrpcClient::give_place(Lane& lane) {
  places_[(next_place_ + free_places_++) % places_.size()] = &lane;
}

DuelCalls& GrpcClient::duel_of(const Command& command) {
  const std::uint64_t hash = hash_bytes(command.player_id, hash_bytes(command.game_id, 0));
  Lane& lane = lanes_[hash % lanes_.size()];
  if (!lane.duel) lane.duel.emplace(*this, lane, in_flight_max());
  return *lane.duel;
}

void GrpcClient::submit(std::uint64_t id, const Command& command) {
  switch (command.operation) {
    case Operation::play:
    case Operation::score: {
      Lane& lane = take_place();
      if (lane.rally && command.operation == Operation::play) {
        lane.rally->submit(id, command);
        break;
      }
      UnaryCall* const call = lane.idle_calls.back();
      lane.idle_calls.pop_back();
      call->start(id, command);
      break;
    }
    case Operation::join:
    case Operation::throw_move:
    case Operation::leave: duel_of(command).submit(id, command); break;
  }
}

// Hands over at most what was open when it began, so that a sink that submits again does not keep
// it here for ever.
std::size_t GrpcClient::poll(Clock::time_point deadline, Sink& sink) {
  const std::size_t enough = std::max<std::size_t>(places_.size() - free_places_, 1);
  Arrival arrival{.sink = sink, .received_at = {}};
  while (arrival.handed_over < enough) {
    const auto done = next(arrival.handed_over == 0 ? deadline : Clock::time_point{});
    if (!done) break;
    arrival.received_at = Clock::now();
    done->tag->complete(done->ok, arrival);
  }
  return arrival.handed_over;
}

// gRPC waits in whole milliseconds, rounded up. The last one is spent polling, so that whoever
// waits for the instant of the next send is not late.
std::optional<GrpcClient::Completion> GrpcClient::next(Clock::time_point deadline) {
  constexpr std::chrono::milliseconds step{1};
  for (;;) {
    Completion done;
    void* tag = nullptr;
    const Clock::time_point now = Clock::now();
    const Clock::time_point until = deadline - now > step ? deadline - step : Clock::time_point{};
    switch (queue_.AsyncNext(&tag, &done.ok, to_timespec(until))) {
      case grpc::CompletionQueue::GOT_EVENT: done.tag = static_cast<Tag*>(tag); return done;
      case grpc::CompletionQueue::SHUTDOWN: return std::nullopt;
      case grpc::CompletionQueue::TIMEOUT:
        if (now >= deadline) return std::nullopt;
    }
  }
}

}  // namespace

std::unique_ptr<Client> connect(const Url& url, const ConnectOptions& options) {
  return std::make_unique<GrpcClient>(read_settings(url), options);
}

}  // namespace rps::rpc
