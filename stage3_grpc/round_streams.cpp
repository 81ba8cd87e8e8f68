#include "stage3_grpc/round_streams.hpp"

#include "stage3_grpc/wire.hpp"

namespace rps::rpc {

PlayManyStream::PlayManyStream(Desk& desk, grpc::CallbackServerContext& context,
                               grpc::ByteBuffer& response)
    : desk_(desk), context_(context), response_(response) {
  StartRead(&request_);
}

void PlayManyStream::OnReadDone(bool ok) {
  if (!ok) {
    v1::PlayManyResponse summary;
    summary.set_rounds(score_.rounds());
    write(score_, *summary.mutable_score());
    response_ = to_bytes(summary);
    return Finish(grpc::Status::OK);
  }
  const bool is_first = score_.rounds() == 0;
  const auto round = is_first ? desk_.play(context_, request_) : desk_.play_on(context_, request_);
  if (!round) return Finish(refuse(context_, round.error()));
  score_.add(round->result);
  StartRead(&request_);
}

RallyStream::RallyStream(Desk& desk, OpenStreams& open, grpc::CallbackServerContext& context)
    : desk_(desk), open_(open), context_(context) {
  open_.add(*this);
  const std::scoped_lock lock(mutex_);
  if (!finished_) StartRead(&request_);
}

void RallyStream::OnReadDone(bool ok) {
  const std::scoped_lock lock(mutex_);
  if (finished_) return;
  if (!ok) return finish(grpc::Status::OK);
  const auto round = desk_.play(context_, request_);
  if (!round) return finish(refuse(context_, round.error()));
  answering_ = true;
  v1::PlayResponse response;
  write(*round, response);
  response_ = to_bytes(response);
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
