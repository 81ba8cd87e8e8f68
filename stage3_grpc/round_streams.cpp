#include "stage3_grpc/round_streams.hpp"

#include "stage3_grpc/wire.hpp"

namespace rps::rpc {

PlayManyStream::PlayManyStream(Dispatcher& dispatcher, Game& game, OpenCalls& open,
                               const ServedCall::Shared& shared,
                               grpc::CallbackServerContext& context, grpc::ByteBuffer& response)
    : dispatcher_(dispatcher),
      caller_(game, {}),
      open_(open),
      call_(shared, context, method::play_many),
      response_(response) {
  open_.add(*this);
  const std::scoped_lock lock(mutex_);
  if (!finished_) StartRead(&request_);
}

void PlayManyStream::OnReadDone(bool ok) {
  const std::scoped_lock lock(mutex_);
  if (finished_) return;
  if (!ok) {
    v1::PlayManyResponse summary;
    summary.set_rounds(score_.rounds());
    write(score_, *summary.mutable_score());
    response_ = to_bytes(summary);
    return finish(grpc::Status::OK);
  }
  using AfterClose = Dispatcher::AfterClose;
  const bool is_first = score_.rounds() == 0;
  const Reply reply = dispatcher_.answer<v1::PlayRequest>(
      call_, request_, caller_, [](const Reply&) {},  // The summary is the only response.
      is_first ? AfterClose::refuse : AfterClose::serve);
  if (reply.error) return finish(status_of(reply, call_.context()));
  if (is_first) StartSendInitialMetadata();
  score_.add(reply.result);
  read_at_ = Clock::now();
  StartRead(&request_);
}

void PlayManyStream::OnDone() {
  open_.remove(*this);
  delete this;
}

void PlayManyStream::drain() {
  const std::scoped_lock lock(mutex_);
  if (score_.rounds() == 0 && !finished_) finish(to_status(Error::unavailable));
}

void PlayManyStream::end_if_silent(Clock::time_point since) {
  const std::scoped_lock lock(mutex_);
  if (read_at_ <= since && !finished_) finish(to_status(Error::unavailable));
}

// REQUIRES: the mutex is held. A read that is still open then ends without a request.
void PlayManyStream::finish(const grpc::Status& status) {
  finished_ = true;
  Finish(status);
}

RallyStream::RallyStream(Dispatcher& dispatcher, Game& game, OpenCalls& open,
                         const ServedCall::Shared& shared, grpc::CallbackServerContext& context)
    : dispatcher_(dispatcher),
      caller_(game, {}),
      open_(open),
      call_(shared, context, method::rally) {
  open_.add(*this);
  const std::scoped_lock lock(mutex_);
  if (!finished_) StartRead(&request_);
}

void RallyStream::OnReadDone(bool ok) {
  const std::scoped_lock lock(mutex_);
  if (finished_) return;
  if (!ok) return finish(grpc::Status::OK);
  const Reply reply =
      dispatcher_.answer<v1::PlayRequest>(call_, request_, caller_, [this](const Reply& made) {
        if (!made.error) response_ = encode<v1::PlayResponse>(made);
      });
  if (reply.error) return finish(status_of(reply, call_.context()));
  answering_ = true;
  StartWrite(&response_);
}

void RallyStream::OnWriteDone(bool ok) {
  const std::scoped_lock lock(mutex_);
  answering_ = false;
  if (!ok) return finish(grpc::Status::OK);  // The peer is gone; no status reaches it.
  if (draining_) return finish(to_status(Error::unavailable));
  StartRead(&request_);
}

void RallyStream::OnDone() {
  open_.remove(*this);
  delete this;
}

void RallyStream::drain() {
  const std::scoped_lock lock(mutex_);
  draining_ = true;
  if (!answering_ && !finished_) finish(to_status(Error::unavailable));
}

// REQUIRES: the mutex is held. A read that is still open then ends without a request.
void RallyStream::finish(const grpc::Status& status) {
  finished_ = true;
  Finish(status);
}

}  // namespace rps::rpc
