#include "stage3_grpc/watch_stream.hpp"

#include <utility>

#include <prometheus/counter.h>

#include "stage3_grpc/wire.hpp"

namespace rps::rpc {

WatchStream* WatchStream::open(Dispatcher& dispatcher, Game& game, prometheus::Counter& cuts,
                               WatchWriter& writer, OpenCalls& open,
                               const ServedCall::Shared& shared,
                               grpc::CallbackServerContext& context,
                               const grpc::ByteBuffer& request, std::size_t waiting_max) {
  const auto stream =
      std::make_shared<WatchStream>(cuts, writer, open, shared, context, waiting_max);
  stream->caller_.emplace(game, std::weak_ptr<EventSink>(), stream);
  stream->self_ = stream;
  open.add(*stream);
  stream->answer(dispatcher, request);
  return stream.get();
}

WatchStream::WatchStream(prometheus::Counter& cuts, WatchWriter& writer, OpenCalls& open,
                         const ServedCall::Shared& shared, grpc::CallbackServerContext& context,
                         std::size_t waiting_max)
    : cuts_(cuts),
      writer_(writer),
      open_(open),
      call_(shared, context, method::watch),
      waiting_max_(waiting_max) {}

// An accepted request is answered by the duel, which calls on_observation().
void WatchStream::answer(Dispatcher& dispatcher, const grpc::ByteBuffer& request) {
  if (!request.Valid() && call_.context().IsCancelled()) {
    // The peer has hung up before its request was complete: there was none to answer or to count.
    const std::scoped_lock lock(mutex_);
    return end(grpc::Status::CANCELLED);
  }
  const Reply reply =
      dispatcher.answer<v1::WatchRequest>(call_, request, *caller_, [](const Reply&) {});
  if (!reply.error) return;
  const std::scoped_lock lock(mutex_);
  end(status_of(reply, call_.context()));
}

void WatchStream::OnWriteDone(bool ok) {
  const std::scoped_lock lock(mutex_);
  writing_since_.reset();
  if (!ok) end(grpc::Status::CANCELLED);  // The peer is gone; no status reaches it.
  advance();
}

void WatchStream::OnCancel() {
  const std::scoped_lock lock(mutex_);
  end(grpc::Status::CANCELLED);
}

void WatchStream::OnDone() {
  open_.remove(*this);
  caller_->disconnect(Clock::now());
  const std::shared_ptr<WatchStream> last = std::move(self_);  // Destroyed as this returns.
}

bool WatchStream::on_observation(const Observation& seen) {
  const std::scoped_lock lock(notes_mutex_);
  if (is_closed_) return false;
  notes_.is_cut = notes_.seen.size() + waiting_count_ >= waiting_max_;
  if (!notes_.is_cut) notes_.seen.push_back(seen);
  is_closed_ = notes_.is_cut || seen.is_over;
  if (!std::exchange(is_with_writer_, true)) writer_.add(shared_from_this());
  return !notes_.is_cut;
}

void WatchStream::write_waiting() {
  const std::scoped_lock lock(mutex_);
  const Notes notes = take_notes();
  if (ending_) return;
  if (notes.is_cut) {
    cuts_.Increment();
    return end(status_of({.operation = Operation::watch,
                          .error = Error::overloaded,
                          .retry_after_ms = rps::limits::retry_after_ms},
                         call_.context()));
  }
  for (const Observation& seen : notes.seen) {
    v1::WatchResponse response;
    write(seen, response);
    waiting_.push_back(to_bytes(response));
    if (seen.is_over) ending_ = grpc::Status::OK;
  }
  advance();
}

WatchStream::Notes WatchStream::take_notes() {
  const std::scoped_lock lock(notes_mutex_);
  is_with_writer_ = false;
  return std::exchange(notes_, {});
}

void WatchStream::drain() {
  const std::scoped_lock lock(mutex_);
  if (!ending_) end(to_status(Error::unavailable));
}

// The peer does not read what was written last, so it would not read the call's end either.
void WatchStream::end_if_silent(Clock::time_point since) {
  const std::scoped_lock lock(mutex_);
  if (writing_since_ && *writing_since_ <= since) call_.context().TryCancel();
}

// Forgets what waits and ends the call, unless it has ended. REQUIRES: the mutex is held.
void WatchStream::end(const grpc::Status& status) {
  if (finished_) return;
  {
    const std::scoped_lock lock(notes_mutex_);
    is_closed_ = true;
  }
  waiting_.clear();
  ending_ = status;
  advance();
}

// Begins the next write, or ends the call, if either can be done now. REQUIRES: the mutex is held.
void WatchStream::advance() {
  if (!finished_ && !writing_since_) begin_next();
  waiting_count_ = waiting_.size();
}

void WatchStream::begin_next() {
  if (!waiting_.empty()) {
    writing_.Swap(&waiting_.front());
    waiting_.pop_front();
    writing_since_ = Clock::now();
    StartWrite(&writing_);
  } else if (ending_) {
    finished_ = true;
    Finish(*ending_);
  }
}

}  // namespace rps::rpc
