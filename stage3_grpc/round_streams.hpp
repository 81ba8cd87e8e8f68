// The two calls that play many rounds on one stream. gRPC calls a stream's functions one after the
// other, on any of its threads. A stream owns itself and deletes itself in OnDone.
#pragma once

#include <mutex>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "core/game.hpp"
#include "stage3_grpc/dispatcher.hpp"
#include "stage3_grpc/open_calls.hpp"
#include "stage3_grpc/served_call.hpp"

namespace rps::rpc {

// Requests in, one summary out. A stream that has played a round may go on while the server drains,
// so that its rounds are not lost, as long as further requests come. It sends its headers when it
// has played the first round: from then on no gRPC client retries the call (gRFC A6), which would
// play the rounds again.
class PlayManyStream final : public grpc::ServerReadReactor<grpc::ByteBuffer>, public OpenStream {
 public:
  PlayManyStream(Dispatcher& dispatcher, Game& game, OpenCalls& open,
                 const ServedCall::Shared& shared, grpc::CallbackServerContext& context,
                 grpc::ByteBuffer& response);

  void OnReadDone(bool ok) override;
  void OnDone() override;
  void drain() override;
  void end_if_silent(Clock::time_point since) override;

 private:
  void finish(const grpc::Status& status);

  Dispatcher& dispatcher_;
  Caller caller_;
  OpenCalls& open_;
  const OpenCalls::Call open_call_{open_};
  ServedCall call_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer& response_;
  std::mutex mutex_;  // drain() and end_if_silent() come from another thread than the rest.
  Score score_;
  Clock::time_point read_at_;  // The last request.
  bool finished_ = false;
};

// Requests in, responses out, one each.
//
//    OnReadDone: play, write ──▶ OnWriteDone: read ──▶ OnReadDone …
//
// The next read begins after the write, so the server stops reading while its peer does not read.
class RallyStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                          public OpenStream {
 public:
  RallyStream(Dispatcher& dispatcher, Game& game, OpenCalls& open, const ServedCall::Shared& shared,
              grpc::CallbackServerContext& context);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override;
  void drain() override;

 private:
  void finish(const grpc::Status& status);

  Dispatcher& dispatcher_;
  Caller caller_;
  OpenCalls& open_;
  const OpenCalls::Call open_call_{open_};
  ServedCall call_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  std::mutex mutex_;        // drain() comes from another thread than the rest.
  bool answering_ = false;  // Between a request's arrival and the end of its response's write.
  bool draining_ = false;
  bool finished_ = false;
};

}  // namespace rps::rpc
