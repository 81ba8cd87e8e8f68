#include "stage3_grpc/client.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <grpcpp/channel.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>

#include "core/random.hpp"
#include "rps/v1/rps.grpc.pb.h"
#include "stage3_grpc/client_settings.hpp"
#include "stage3_grpc/client_stream.hpp"
#include "stage3_grpc/client_watch.hpp"
#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/contract/status.hpp"
#include "stage3_grpc/time.hpp"

namespace rps::rpc {

namespace {

Reply read_summary(const v1::PlayManyResponse& summary) {
  const Score score{.wins = summary.score().wins(),
                    .draws = summary.score().draws(),
                    .losses = summary.score().losses()};
  if (summary.rounds() != score.rounds() || summary.score().rounds() != score.rounds()) {
    return {.operation = Operation::play, .error = Error::internal};
  }
  return {.operation = Operation::play, .score = score};
}

void set_deadline(grpc::ClientContext& context, const ClientSettings& settings,
                  Clock::time_point begin) {
  if (settings.deadline.count() > 0) context.set_deadline(to_timespec(begin + settings.deadline));
}

class GrpcClient;

// One connection.
struct Connection;

// A call of one request and one response, used again and again.
class UnaryCall final : public Tag {
 public:
  UnaryCall(GrpcClient& client, Connection& connection)
      : client_(client), connection_(connection) {}

  void start(std::uint64_t id, const Command& command);
  void cancel() {
    if (context_) context_->TryCancel();
  }
  void complete(bool ok, Arrival& arrival) override;

 private:
  Reply read_reply(bool is_whole) const;

  GrpcClient& client_;
  Connection& connection_;
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

// A call of many requests and one response.
class ManyCall final : public Tag {
 public:
  ManyCall(GrpcClient& client, Connection& connection) : client_(client), connection_(connection) {}

  void start(std::uint64_t id, const Command& command);
  void cancel() {
    if (context_) context_->TryCancel();
  }
  void complete(bool ok, Arrival& arrival) override;

 private:
  void write_next();
  Reply read_reply(bool is_whole) const;

  GrpcClient& client_;
  Connection& connection_;
  std::uint64_t id_ = 0;
  Clock::time_point sent_at_;
  std::optional<grpc::ClientContext> context_;
  grpc::Status status_;
  v1::PlayRequest request_;
  v1::PlayManyResponse response_;
  std::unique_ptr<grpc::ClientAsyncWriter<v1::PlayRequest>> writer_;
  std::uint32_t left_ = 0;  // Requests that gRPC has not taken yet.
  bool is_finishing_ = false;
};

class RallyCalls final : public ClientStream<v1::PlayRequest, v1::PlayResponse> {
 public:
  RallyCalls(GrpcClient& client, Connection& connection, std::size_t calls_max)
      : ClientStream(calls_max), client_(client), connection_(connection) {}

 private:
  std::unique_ptr<Wire> start(grpc::ClientContext& context, void* tag) override;
  void take(const v1::PlayResponse& response, Arrival& arrival) override {
    answer(read(response), arrival);
  }
  void deliver(const Answered& call, const Reply& reply, Arrival& arrival) override;

  GrpcClient& client_;
  Connection& connection_;
};

class DuelCalls final : public ClientStream<v1::DuelRequest, v1::DuelResponse> {
 public:
  DuelCalls(GrpcClient& client, Connection& connection, std::size_t calls_max)
      : ClientStream(calls_max), client_(client), connection_(connection) {}

 private:
  std::unique_ptr<Wire> start(grpc::ClientContext& context, void* tag) override;
  void take(const v1::DuelResponse& response, Arrival& arrival) override {
    if (!response.has_event()) return answer(read(response, oldest_operation()), arrival);
    const auto event = read(response.event());
    if (!event) return break_off();  // The game has gone on, and nobody can say how.
    arrival.event(*event);
  }
  // Duels take no place of their connection.
  void deliver(const Answered& call, const Reply& reply, Arrival& arrival) override {
    arrival.reply(call.id, reply, call.sent_at, call.by_server);
  }

  GrpcClient& client_;
  Connection& connection_;
};

// A call of Watch that somebody has asked for. It takes no place of its connection.
class Spectator final : public WatchCall {
 public:
  void start(std::uint64_t id, const Command& command, Stub& stub, grpc::CompletionQueue& queue);

 private:
  void take(const v1::WatchResponse& response, Arrival& arrival) override;
  void ended(const grpc::Status& status, const grpc::ClientContext& context,
             Arrival& arrival) override;

  std::uint64_t id_ = 0;
  Clock::time_point sent_at_;
  bool is_answered_ = false;
  bool is_over_ = false;   // The duel, as the last observation says.
  bool is_wrong_ = false;  // A response could not be read.
};

// A play of mode=watch.
class WatchedPlay final : public WatchedDuel {
 public:
  WatchedPlay(GrpcClient& client, Connection& connection);

 private:
  void settled() override;

  GrpcClient& client_;
  Connection& connection_;
};

struct Connection {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<Stub> stub;
  std::deque<UnaryCall> calls;
  std::vector<UnaryCall*> idle_calls;
  std::deque<ManyCall> many_calls;
  std::vector<ManyCall*> idle_many_calls;
  std::deque<WatchedPlay> watched_plays;
  std::vector<WatchedPlay*> idle_watched_plays;
  std::size_t room = 0;  // Calls that it can take now.
  std::optional<RallyCalls> rally;
  std::optional<DuelCalls> duel;
  std::deque<Spectator> spectators;
};

// All connections complete into one queue, which the thread that polls waits on itself: an answer
// is handed over by the thread that read it from the socket.
class GrpcClient final : public Client {
 public:
  GrpcClient(const ClientSettings& settings, const ConnectOptions& options);
  ~GrpcClient() override;

  void submit(std::uint64_t id, const Command& command) override;
  std::size_t poll(Clock::time_point deadline, Sink& sink) override;
  std::size_t in_flight_max() const override { return in_flight_max_; }

 private:
  friend class UnaryCall;
  friend class ManyCall;
  friend class RallyCalls;
  friend class DuelCalls;
  friend class WatchedPlay;

  struct Completion {
    Tag* tag = nullptr;
    bool ok = false;
  };

  void open_connection(const ConnectOptions& options);
  Connection& take_place(std::uint64_t id);
  void give_place(Connection& connection);
  void play(Connection& connection, std::uint64_t id, const Command& command);
  void start_unary(Connection& connection, std::uint64_t id, const Command& command);
  DuelCalls& duel_of(const Command& command);
  void watch(std::uint64_t id, const Command& command);
  std::string next_watcher_name();
  std::optional<Completion> next(Clock::time_point deadline);

  ClientSettings settings_;
  grpc::CompletionQueue queue_;
  std::deque<Connection> connections_;
  std::size_t in_flight_max_;
  std::size_t open_ = 0;  // Calls that take a place of their connection.
  const std::uint32_t watchers_ = std::random_device{}();
  std::size_t watcher_ = 0;
};

// ---- Calls ---------------------------------------------------------------------------------

void UnaryCall::start(std::uint64_t id, const Command& command) {
  id_ = id;
  operation_ = command.operation;
  context_.emplace();
  sent_at_ = Clock::now();
  set_deadline(*context_, client_.settings_, sent_at_);
  switch (operation_) {
    case Operation::play:
      write(command, play_request_);
      play_ = connection_.stub->AsyncPlay(&*context_, play_request_, &client_.queue_);
      return play_->Finish(&play_response_, &status_, this);
    case Operation::score:
      write(command, score_request_);
      score_ = connection_.stub->AsyncScore(&*context_, score_request_, &client_.queue_);
      return score_->Finish(&score_response_, &status_, this);
    case Operation::join:
    case Operation::throw_move:
    case Operation::leave:
    case Operation::watch: assert(false && "no unary call");
  }
}

void UnaryCall::complete(bool ok, Arrival& arrival) {
  const Reply reply = read_reply(ok);
  const bool is_answered = status_.ok() || is_answer(status_);
  play_.reset();
  score_.reset();
  context_.reset();
  connection_.idle_calls.push_back(this);
  client_.give_place(connection_);
  // The sink may start this call again. Its response is not touched before the next poll().
  arrival.reply(id_, reply, sent_at_, is_answered);
  play_response_.Clear();  // So that a call that is answered without a message has none.
  score_response_.Clear();
}

// `is_whole`: unless a message came that could not be read to its end.
Reply UnaryCall::read_reply(bool is_whole) const {
  if (!status_.ok()) return refusal(status_, operation_, *context_);
  if (!is_whole) return {.operation = operation_, .error = Error::internal};
  switch (operation_) {
    case Operation::play: return read(play_response_);
    case Operation::score: return read(score_response_);
    case Operation::join:
    case Operation::throw_move:
    case Operation::leave:
    case Operation::watch: break;
  }
  return {.operation = operation_, .error = Error::unknown_operation};
}

// The headers wait for the first request, and each request for the next: they leave together.
void ManyCall::start(std::uint64_t id, const Command& command) {
  id_ = id;
  left_ = client_.settings_.rounds;
  is_finishing_ = false;
  write(command, request_);
  context_.emplace();
  context_->set_initial_metadata_corked(true);
  sent_at_ = Clock::now();
  set_deadline(*context_, client_.settings_, sent_at_);
  writer_ = connection_.stub->AsyncPlayMany(&*context_, &response_, &client_.queue_, nullptr);
  write_next();
}

void ManyCall::write_next() {
  if (--left_ == 0) {
    writer_->WriteLast(request_, {}, this);
  } else {
    writer_->Write(request_, grpc::WriteOptions().set_buffer_hint(), this);
  }
}

void ManyCall::complete(bool ok, Arrival& arrival) {
  if (!is_finishing_) {
    if (ok && left_ > 0) return write_next();
    is_finishing_ = true;  // All is said, or the call is over already.
    return writer_->Finish(&status_, this);
  }
  const Reply reply = read_reply(ok);
  const bool is_answered = status_.ok() || is_answer(status_);
  writer_.reset();
  context_.reset();
  connection_.idle_many_calls.push_back(this);
  client_.give_place(connection_);
  arrival.reply(id_, reply, sent_at_, is_answered);
  response_.Clear();
}

Reply ManyCall::read_reply(bool is_whole) const {
  if (!status_.ok()) return refusal(status_, Operation::play, *context_);
  if (!is_whole) return {.operation = Operation::play, .error = Error::internal};
  return read_summary(response_);
}

std::unique_ptr<RallyCalls::Wire> RallyCalls::start(grpc::ClientContext& context, void* tag) {
  return connection_.stub->AsyncRally(&context, &client_.queue_, tag);
}

void RallyCalls::deliver(const Answered& call, const Reply& reply, Arrival& arrival) {
  client_.give_place(connection_);
  arrival.reply(call.id, reply, call.sent_at, call.by_server);
}

std::unique_ptr<DuelCalls::Wire> DuelCalls::start(grpc::ClientContext& context, void* tag) {
  return connection_.stub->AsyncDuel(&context, &client_.queue_, tag);
}

void Spectator::start(std::uint64_t id, const Command& command, Stub& stub,
                      grpc::CompletionQueue& queue) {
  id_ = id;
  sent_at_ = Clock::now();
  is_answered_ = is_over_ = is_wrong_ = false;
  WatchCall::start(stub, queue, command.game_id);
}

// After a response that cannot be read, others may come before the call has ended.
void Spectator::take(const v1::WatchResponse& response, Arrival& arrival) {
  if (is_wrong_ || is_over_) return;
  const auto seen = read(response);
  is_wrong_ = !seen;
  if (is_wrong_) return cancel();
  is_over_ = seen->is_over;
  if (!std::exchange(is_answered_, true)) {
    arrival.reply(id_, {.operation = Operation::watch}, sent_at_);
  }
  arrival.observation(*seen);
}

void Spectator::ended(const grpc::Status& status, const grpc::ClientContext& context,
                      Arrival& arrival) {
  if (is_over_) return;
  const bool is_refusal = !is_wrong_ && !status.ok();
  const Reply reply = is_refusal ? refusal(status, Operation::watch, context)
                                 : Reply{.operation = Operation::watch, .error = Error::internal};
  if (is_answered_) return arrival.watch_ended(id_, reply);
  arrival.reply(id_, reply, sent_at_, !is_refusal || is_answer(status));
}

WatchedPlay::WatchedPlay(GrpcClient& client, Connection& connection)
    : WatchedDuel(*connection.stub, client.queue_, client.next_watcher_name()),
      client_(client),
      connection_(connection) {}

void WatchedPlay::settled() {
  connection_.idle_watched_plays.push_back(this);
  client_.give_place(connection_);
}

// ---- The client ----------------------------------------------------------------------------

GrpcClient::GrpcClient(const ClientSettings& settings, const ConnectOptions& options)
    : settings_(settings), in_flight_max_(options.connections * options.depth) {
  assert(options.connections > 0 && options.depth > 0);
  const gpr_timespec deadline = to_timespec(Clock::now() + options.timeout_max);
  for (std::size_t i = 0; i < options.connections; ++i) open_connection(options);
  for (Connection& connection : connections_) connection.channel->GetState(true);
  for (Connection& connection : connections_) {
    if (!connection.channel->WaitForConnected(deadline)) {
      throw std::runtime_error("cannot connect to gRPC at " + settings.target);
    }
  }
}

GrpcClient::~GrpcClient() {
  for (Connection& connection : connections_) {
    for (UnaryCall& call : connection.calls) call.cancel();
    for (ManyCall& call : connection.many_calls) call.cancel();
    if (connection.rally) connection.rally->cancel();
    if (connection.duel) connection.duel->cancel();
    for (Spectator& spectator : connection.spectators) spectator.cancel();
    for (WatchedPlay& play : connection.watched_plays) play.cancel();
  }
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

void GrpcClient::open_connection(const ConnectOptions& options) {
  Connection& connection = connections_.emplace_back();
  connection.channel = open_channel(settings_);
  connection.stub = v1::RockPaperScissorsService::NewStub(connection.channel);
  for (std::size_t i = 0; i < options.depth; ++i) {
    connection.idle_calls.push_back(&connection.calls.emplace_back(*this, connection));
  }
  if (settings_.mode == PlayMode::many) {
    for (std::size_t i = 0; i < options.depth; ++i) {
      connection.idle_many_calls.push_back(&connection.many_calls.emplace_back(*this, connection));
    }
  }
  if (settings_.mode == PlayMode::watch) {
    for (std::size_t i = 0; i < options.depth; ++i) {
      connection.idle_watched_plays.push_back(
          &connection.watched_plays.emplace_back(*this, connection));
    }
  }
  if (settings_.mode == PlayMode::rally) connection.rally.emplace(*this, connection, options.depth);
  connection.room = options.depth;
}

// Of the id's connection when that has room, else of the next one that has.
Connection& GrpcClient::take_place(std::uint64_t id) {
  assert(open_ < in_flight_max_);
  std::size_t index = id % connections_.size();
  while (connections_[index].room == 0) index = (index + 1) % connections_.size();
  --connections_[index].room;
  ++open_;
  return connections_[index];
}

void GrpcClient::give_place(Connection& connection) {
  ++connection.room;
  --open_;
}

DuelCalls& GrpcClient::duel_of(const Command& command) {
  const std::uint64_t hash = hash_bytes(command.player_id, hash_bytes(command.game_id, 0));
  Connection& connection = connections_[hash % connections_.size()];
  if (!connection.duel) connection.duel.emplace(*this, connection, in_flight_max());
  return *connection.duel;
}

// A call that has ended is used again.
void GrpcClient::watch(std::uint64_t id, const Command& command) {
  Connection& connection = connections_[hash_bytes(command.game_id, 0) % connections_.size()];
  auto& spectators = connection.spectators;
  const auto idle = std::ranges::find_if_not(spectators, &Spectator::is_open);
  Spectator& spectator = idle == spectators.end() ? spectators.emplace_back() : *idle;
  spectator.start(id, command, *connection.stub, queue_);
}

// Part of the ids of the games of one WatchedPlay: no other client has such games.
std::string GrpcClient::next_watcher_name() {
  return "watched-" + std::to_string(watchers_) + "-" + std::to_string(++watcher_);
}

void GrpcClient::submit(std::uint64_t id, const Command& command) {
  switch (command.operation) {
    case Operation::play: play(take_place(id), id, command); break;
    case Operation::score: start_unary(take_place(id), id, command); break;
    case Operation::join:
    case Operation::throw_move:
    case Operation::leave: duel_of(command).submit(id, command); break;
    case Operation::watch: watch(id, command); break;
  }
}

void GrpcClient::play(Connection& connection, std::uint64_t id, const Command& command) {
  switch (settings_.mode) {
    case PlayMode::unary: start_unary(connection, id, command); break;
    case PlayMode::rally: connection.rally->submit(id, command); break;
    case PlayMode::many: {
      ManyCall* const call = connection.idle_many_calls.back();
      connection.idle_many_calls.pop_back();
      call->start(id, command);
      break;
    }
    case PlayMode::watch: {
      WatchedPlay* const watched = connection.idle_watched_plays.back();
      connection.idle_watched_plays.pop_back();
      watched->play(id, command.move);
      break;
    }
  }
}

void GrpcClient::start_unary(Connection& connection, std::uint64_t id, const Command& command) {
  UnaryCall* const call = connection.idle_calls.back();
  connection.idle_calls.pop_back();
  call->start(id, command);
}

// Hands over at most what was open when it began, so that a sink that submits again does not keep
// it here for ever.
std::size_t GrpcClient::poll(Clock::time_point deadline, Sink& sink) {
  const std::size_t enough = std::max<std::size_t>(open_, 1);
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

void check(const Url& url) {
  (void)read_settings(url);
}

std::unique_ptr<Client> connect(const Url& url, const ConnectOptions& options) {
  ClientSettings settings = read_settings(url);
  find_addresses(settings);
  return std::make_unique<GrpcClient>(settings, options);
}

}  // namespace rps::rpc
