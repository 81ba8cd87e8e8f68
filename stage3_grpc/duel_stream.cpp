#include "stage3_grpc/duel_stream.hpp"

#include <utility>

#include <prometheus/counter.h>

#include "stage3_grpc/wire.hpp"

namespace rps::rpc {

DuelStream* DuelStream::open(Dispatcher& dispatcher, Game& game, prometheus::Counter& cuts,
                             OpenCalls& open, const ServedCall::Shared& shared,
                             grpc::CallbackServerContext& context, std::size_t events_waiting_max) {
  const auto stream =
      std::make_shared<DuelStream>(dispatcher, cuts, open, shared, context, events_waiting_max);
  stream->caller_.emplace(game, stream);
  stream->self_ = stream;
  open.add(*stream);
  const std::scoped_lock lock(stream->mutex_);
  if (!stream->finished_) stream->StartRead(&stream->request_);
  return stream.get();
}

DuelStream::DuelStream(Dispatcher& dispatcher, prometheus::Counter& cuts, OpenCalls& open,
                       const ServedCall::Shared& shared, grpc::CallbackServerContext& context,
                       std::size_t events_waiting_max)
    : dispatcher_(dispatcher),
      cuts_(cuts),
      open_(open),
      call_(shared, context, method::duel),
      events_waiting_max_(events_waiting_max) {}

void DuelStream::OnReadDone(bool ok) {
  Outgoing* pending = nullptr;  // A deque's elements stay where they are.
  {
    const std::scoped_lock lock(mutex_);
    if (finished_) return;
    if (!ok) {
      closing_ = true;
      return advance();
    }
    answering_ = true;
    pending = &outgoing_.emplace_back(Outgoing{.is_reply = true});
  }
  grpc::ByteBuffer bytes;
  const Reply reply = dispatcher_.answer<v1::DuelRequest>(
      call_, request_, *caller_,
      [&bytes](const Reply& made) { bytes = encode<v1::DuelResponse>(made); });
  const std::scoped_lock lock(mutex_);
  if (reply.error == Error::unauthenticated) {
    closing_ = true;
    ending_ = reply.error;
  }
  pending->bytes.Swap(&bytes);
  pending->is_ready = true;
  answering_ = false;
  advance();
}

void DuelStream::OnWriteDone(bool ok) {
  const std::scoped_lock lock(mutex_);
  writing_ = false;
  const bool was_reply = outgoing_.front().is_reply;
  outgoing_.pop_front();
  if (!ok) broken_ = true;
  if (was_reply && !broken_ && !closing_) StartRead(&request_);
  advance();
}

void DuelStream::OnDone() {
  open_.remove(*this);
  caller_->disconnect(Clock::now());
  const std::shared_ptr<DuelStream> last = std::move(self_);  // Destroyed as this returns.
}

void DuelStream::on_event(const Event& event) {
  const std::scoped_lock lock(mutex_);
  if (finished_ || broken_) return;
  if (events_waiting_ >= events_waiting_max_) {
    broken_ = true;
    cuts_.Increment();
    call_.context().TryCancel();
    return advance();
  }
  v1::DuelResponse response;
  write(event, *response.mutable_event());
  outgoing_.push_back({.is_ready = true, .bytes = to_bytes(response)});
  ++events_waiting_;
  advance();
}

void DuelStream::drain() {
  const std::scoped_lock lock(mutex_);
  closing_ = true;
  ending_ = Error::unavailable;
  advance();
}

// Begins the next write, or ends the stream, if either can be done now. REQUIRES: the mutex is
// held.
void DuelStream::advance() {
  if (finished_ || writing_) return;
  if (!broken_ && !outgoing_.empty()) {
    if (!outgoing_.front().is_ready) return;  // OnReadDone comes here when it is.
    if (!outgoing_.front().is_reply) --events_waiting_;
    writing_ = true;
    return StartWrite(&outgoing_.front().bytes);
  }
  if (!answering_ && (broken_ || closing_)) {
    finished_ = true;
    Finish(ending_ ? to_status(*ending_) : grpc::Status::OK);
  }
}

}  // namespace rps::rpc
