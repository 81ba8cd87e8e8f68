#include "stage3_grpc/duel_stream.hpp"

#include "stage3_grpc/wire.hpp"

namespace rps::rpc {

DuelStream* DuelStream::open(Desk& desk, Game& game, OpenStreams& open,
                             grpc::CallbackServerContext& context, std::size_t events_waiting_max) {
  const auto stream = std::make_shared<DuelStream>(desk, open, context, events_waiting_max);
  stream->caller_.emplace(game, stream);
  stream->self_ = stream;
  open.add(*stream);
  const std::scoped_lock lock(stream->mutex_);
  if (!stream->finished_) stream->StartRead(&stream->request_);
  return stream.get();
}

DuelStream::DuelStream(Desk& desk, OpenStreams& open, grpc::CallbackServerContext& context,
                       std::size_t events_waiting_max)
    : desk_(desk), open_(open), context_(context), events_waiting_max_(events_waiting_max) {}

void DuelStream::OnReadDone(bool ok) {
  Letter* place = nullptr;  // Stays where it is: letters are only added behind and taken in front.
  {
    const std::scoped_lock lock(mutex_);
    if (finished_) return;
    if (!ok) {
      closing_ = true;
      return advance();
    }
    answering_ = true;
    place = &letters_.emplace_back(Letter{.is_reply = true});
  }
  v1::DuelResponse response;
  write(desk_.duel(context_, request_, *caller_), response);
  const std::scoped_lock lock(mutex_);
  place->bytes = to_bytes(response);
  place->is_ready = true;
  answering_ = false;
  advance();
}

void DuelStream::OnWriteDone(bool ok) {
  const std::scoped_lock lock(mutex_);
  writing_ = false;
  const bool was_reply = letters_.front().is_reply;
  letters_.pop_front();
  if (!ok) broken_ = true;
  if (was_reply && !broken_ && !closing_) StartRead(&request_);
  advance();
}

void DuelStream::OnDone() {
  open_.remove(*this);
  caller_->disconnect(Clock::now());
  const std::shared_ptr<DuelStream> last = std::move(self_);  // Goes with this function's end.
}

void DuelStream::on_event(const Event& event) {
  const std::scoped_lock lock(mutex_);
  if (finished_ || broken_) return;
  if (letters_.size() >= events_waiting_max_) {
    broken_ = true;
    context_.TryCancel();
    return advance();
  }
  v1::DuelResponse response;
  write(event, *response.mutable_event());
  letters_.push_back({.is_ready = true, .bytes = to_bytes(response)});
  advance();
}

void DuelStream::drain() {
  const std::scoped_lock lock(mutex_);
  draining_ = true;
  closing_ = true;
  advance();
}

// Does what is to be done next, if it can be done now. REQUIRES: the mutex is held.
void DuelStream::advance() {
  if (finished_ || writing_) return;
  if (!broken_ && !letters_.empty()) {
    if (!letters_.front().is_ready) return;  // Its request is with the game, and comes back here.
    writing_ = true;
    return StartWrite(&letters_.front().bytes);
  }
  if (!answering_ && (broken_ || closing_)) {
    finished_ = true;
    Finish(draining_ ? to_status(Error::unavailable) : grpc::Status::OK);
  }
}

}  // namespace rps::rpc
