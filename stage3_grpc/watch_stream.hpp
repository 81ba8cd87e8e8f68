// One Watch call: a spectator's view of one duel. One request in, observations out.
//
// Observations come from the threads whose commands caused them, and wait until the WatchWriter's
// thread takes them, so that no player waits for a spectator. A spectator that leaves more than the
// limit unread loses what waits, is no spectator any more, and its call ends with `overloaded`.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "core/game.hpp"
#include "stage3_grpc/dispatcher.hpp"
#include "stage3_grpc/open_calls.hpp"
#include "stage3_grpc/watch_writer.hpp"

namespace prometheus {
class Counter;
}  // namespace prometheus

namespace rps::rpc {

class WatchStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                          public SpectatorSink,
                          public WatchWriter::Stream,
                          public OpenStream,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  // The stream owns itself until OnDone; the game's duels hold weak references. All arguments but
  // the request outlive it.
  static WatchStream* open(Dispatcher& dispatcher, Game& game, prometheus::Counter& cuts,
                           WatchWriter& writer, OpenCalls& open, const ServedCall::Shared& shared,
                           grpc::CallbackServerContext& context, const grpc::ByteBuffer& request,
                           std::size_t waiting_max);

  WatchStream(prometheus::Counter& cuts, WatchWriter& writer, OpenCalls& open,
              const ServedCall::Shared& shared, grpc::CallbackServerContext& context,
              std::size_t waiting_max);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  bool on_observation(const Observation& seen) override;
  void write_waiting() override;
  void drain() override;
  void end_if_silent(Clock::time_point since) override;

 private:
  struct Notes {
    std::vector<Observation> seen;
    bool is_cut = false;  // There were too many.
  };

  void answer(Dispatcher& dispatcher, const grpc::ByteBuffer& request);
  Notes take_notes();
  void end(const grpc::Status& status);
  void advance();
  void begin_next();

  prometheus::Counter& cuts_;
  WatchWriter& writer_;
  OpenCalls& open_;
  const OpenCalls::Call open_call_{open_};
  ServedCall call_;
  const std::size_t waiting_max_;
  std::shared_ptr<WatchStream> self_;
  std::optional<Caller> caller_;

  // What players leave for the writer. Its mutex is held for no longer than that takes, as players
  // wait for it: under a duel's lock. So the game is never called while it is held.
  std::mutex notes_mutex_;
  Notes notes_;
  bool is_closed_ = false;       // Nothing more is noted.
  bool is_with_writer_ = false;  // The writer is going to take the notes.

  // Guards what follows. It may be held while the other one is taken.
  std::mutex mutex_;
  std::deque<grpc::ByteBuffer> waiting_;
  std::atomic<std::size_t> waiting_count_{0};       // May be read without the mutex.
  grpc::ByteBuffer writing_;                        // Is with gRPC …
  std::optional<Clock::time_point> writing_since_;  // … since then.
  std::optional<grpc::Status> ending_;  // With what the call ends when nothing waits any more.
  bool finished_ = false;
};

}  // namespace rps::rpc
