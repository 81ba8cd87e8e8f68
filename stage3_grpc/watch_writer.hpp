// The thread that writes to the spectators of duels.
//
// What a player does is shown to every spectator of the duel under the duel's lock, on the thread
// that serves the player. A write of gRPC's ends in a system call, and for 64 spectators these took
// a quarter of a millisecond on a busy machine. The player, and all duels under the same lock,
// would wait for that long. So there each spectator only gets a note, and this thread writes.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace rps::rpc {

class WatchWriter {
 public:
  class Stream {
   public:
    // Writes what waits, if nothing is being written.
    virtual void write_waiting() = 0;

   protected:
    ~Stream() = default;
  };

  // Starts the thread. Throws std::system_error when there may be none.
  WatchWriter();
  WatchWriter(const WatchWriter&) = delete;
  WatchWriter& operator=(const WatchWriter&) = delete;

  // Soon calls the stream's write_waiting(). Any thread; does not block.
  void add(std::shared_ptr<Stream> stream);

 private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any added_;
  std::vector<std::shared_ptr<Stream>> waiting_;  // Guarded by the mutex.
  std::jthread thread_;                           // Behind all that it uses, so that it ends first.
};

}  // namespace rps::rpc
