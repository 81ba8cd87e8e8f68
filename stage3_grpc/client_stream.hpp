// A bidirectional stream that carries calls: requests go out in order, each is answered by the next
// response. Rally and Duel are such streams.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <grpcpp/client_context.h>
#include <grpcpp/support/async_stream.h>

#include "core/client.hpp"
#include "core/number.hpp"
#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/contract/status.hpp"

namespace rps::rpc {

// One completion, on its way to the sink.
struct Arrival {
  Sink& sink;
  Clock::time_point received_at;
  std::size_t handed_over = 0;

  void reply(std::uint64_t id, const Reply& reply, Clock::time_point sent_at,
             bool is_answered = true) {
    ++handed_over;
    sink.on_reply(id, reply,
                  {.sent_at = sent_at, .received_at = received_at, .is_answered = is_answered});
  }
  void event(const Event& event) {
    ++handed_over;
    sink.on_event(event);
  }
  void observation(const Observation& seen) {
    ++handed_over;
    sink.on_observation(seen);
  }
  void watch_ended(std::uint64_t id, const Reply& reply) {
    ++handed_over;
    sink.on_watch_ended(id, reply);
  }
};

// What the completion queue hands back when an operation is done.
class Tag {
 public:
  virtual void complete(bool ok, Arrival& arrival) = 0;

 protected:
  ~Tag() = default;
};

// A tag that completes one step of `Owner`.
template <class Owner>
class StepTag final : public Tag {
 public:
  using Step = void (Owner::*)(bool ok, Arrival& arrival);

  StepTag(Owner& owner, Step step) : owner_(owner), step_(step) {}
  void complete(bool ok, Arrival& arrival) override { (owner_.*step_)(ok, arrival); }

 private:
  Owner& owner_;
  Step step_;
};

// How many milliseconds a refused call is to wait; 0 when the server has not said.
inline std::uint32_t retry_after(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(retry_after_key);
  if (found == trailers.end()) return 0;
  return parse_number<std::uint32_t>({found->second.data(), found->second.size()}).value_or(0);
}

// The reply to a call that has ended with `status`. REQUIRES: !status.ok().
inline Reply refusal(const grpc::Status& status, Operation operation,
                     const grpc::ClientContext& context) {
  return {.operation = operation,
          .error = error_of(status, operation),
          .retry_after_ms = retry_after(context)};
}

// Opened by the first call, and again by the next call after it ended.
template <class Request, class Response>
class ClientStream {
 public:
  using Wire = grpc::ClientAsyncReaderWriter<Request, Response>;

  // REQUIRES: at most `calls_max` calls are open at once.
  explicit ClientStream(std::size_t calls_max) : calls_(calls_max) {}
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;

  void submit(std::uint64_t id, const Command& command) {
    assert(open_ < calls_.size());
    Call& call = at(open_++);
    call.id = id;
    call.operation = command.operation;
    call.sent_at = Clock::now();
    write(command, call.request);
    if (!wire_) {
      open();
    } else {
      write_next();
    }
  }

  // Makes every operation complete soon.
  void cancel() {
    if (wire_) context_->TryCancel();
  }

 protected:
  struct Call {
    std::uint64_t id = 0;
    Operation operation = Operation::play;
    Request request;
    Clock::time_point sent_at;
  };

  struct Answered {
    std::uint64_t id = 0;
    Clock::time_point sent_at;
    bool by_server = true;  // Else the client itself says so, because the connection broke.
  };

  ~ClientStream() = default;

  // Begins the stream; `tag` completes when it stands.
  virtual std::unique_ptr<Wire> start(grpc::ClientContext& context, void* tag) = 0;

  // A response arrived.
  virtual void take(const Response& response, Arrival& arrival) = 0;

  // A call is answered. It is no longer open, so that another one may be submitted meanwhile.
  virtual void deliver(const Answered& call, const Reply& reply, Arrival& arrival) = 0;

  // Answers the oldest call with `reply`. A response that no call waits for ends the stream.
  void answer(const Reply& reply, Arrival& arrival, bool by_server = true) {
    if (open_ == 0) return break_off();
    const Answered call{.id = at(0).id, .sent_at = at(0).sent_at, .by_server = by_server};
    oldest_ = (oldest_ + 1) % calls_.size();
    --open_;
    if (written_ > 0) --written_;
    deliver(call, reply, arrival);
  }

  // The server has sent what makes no sense: nothing more is taken from this stream, and its open
  // calls fail.
  void break_off() {
    is_broken_ = true;
    cancel();
  }

  std::size_t open_calls() const { return open_; }
  Operation oldest_operation() const { return calls_[oldest_].operation; }

 private:
  Call& at(std::size_t index) { return calls_[(oldest_ + index) % calls_.size()]; }

  void open() {
    context_.emplace();
    written_ = 0;
    standing_ = false;
    is_broken_ = false;
    wire_ = start(*context_, &started_tag_);
  }

  void on_started(bool ok, Arrival&) {
    if (!ok) return wire_->Finish(&status_, &finished_tag_);
    standing_ = true;
    wire_->Read(&response_, &read_tag_);
    write_next();
  }

  // gRPC takes one message at a time.
  void write_next() {
    if (!standing_ || writing_ || written_ == open_) return;
    Call& call = at(written_++);
    call.sent_at = Clock::now();
    writing_ = true;
    wire_->Write(call.request, &written_tag_);
  }

  void on_written(bool ok, Arrival& arrival) {
    writing_ = false;
    if (ended_) return settle(arrival);
    if (ok) write_next();  // Otherwise the read fails as well, and ends the stream.
  }

  void on_read(bool ok, Arrival& arrival) {
    if (ok) take(response_, arrival);
    if (ok && !is_broken_) return wire_->Read(&response_, &read_tag_);
    standing_ = false;
    wire_->Finish(&status_, &finished_tag_);
  }

  void on_finished(bool, Arrival& arrival) {
    ended_ = true;
    if (!writing_) settle(arrival);
  }

  // The stream has ended. If its status refuses a request, that was the oldest one; the server did
  // not process the later ones, and they are sent again on a new stream. Otherwise the stream
  // broke, and every call on it has failed.
  void settle(Arrival& arrival) {
    const std::uint32_t retry_after_ms = retry_after(*context_);
    ended_ = false;
    wire_.reset();
    context_.reset();
    written_ = 0;
    const bool is_answered = !status_.ok() && is_answer(status_);
    for (std::size_t left = open_; left > 0; --left) {
      const Error error = status_.ok() ? Error::unavailable : error_of(status_, oldest_operation());
      answer({.operation = oldest_operation(), .error = error, .retry_after_ms = retry_after_ms},
             arrival, is_answered);
      if (is_refusal(error)) break;
    }
    if (open_ > 0 && !wire_) open();
  }

  static bool is_refusal(Error error) {
    switch (error) {
      case Error::unavailable:
      case Error::deadline_exceeded:
      case Error::internal: return false;
      case Error::invalid_move:
      case Error::malformed_request:
      case Error::unknown_operation:
      case Error::unknown_session:
      case Error::unknown_game:
      case Error::not_your_turn:
      case Error::game_full:
      case Error::unauthenticated:
      case Error::permission_denied:
      case Error::too_large:
      case Error::overloaded: return true;
    }
    return false;
  }

  StepTag<ClientStream> started_tag_{*this, &ClientStream::on_started};
  StepTag<ClientStream> written_tag_{*this, &ClientStream::on_written};
  StepTag<ClientStream> read_tag_{*this, &ClientStream::on_read};
  StepTag<ClientStream> finished_tag_{*this, &ClientStream::on_finished};

  std::optional<grpc::ClientContext> context_;
  std::unique_ptr<Wire> wire_;  // Null when the stream is not open.
  Response response_;
  grpc::Status status_;
  bool standing_ = false;
  bool is_broken_ = false;
  bool writing_ = false;
  bool ended_ = false;

  // The open calls, a ring, oldest first. The first `written_` of them are with gRPC.
  std::vector<Call> calls_;
  std::size_t oldest_ = 0;
  std::size_t open_ = 0;
  std::size_t written_ = 0;
};

}  // namespace rps::rpc
