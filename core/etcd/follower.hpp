// Keys of etcd and their values, read once and then followed by a watch.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "core/etcd/connection.hpp"

namespace rps::etcd {

// A thread of its own reads all of the keys and then follows their changes. When the watch ends
// (etcd stopped, or it has compacted the revision that the watch would begin at), the thread reads
// all of them again. When etcd is then at an older revision than before, it has lost its data: they
// are read once more after limits::lease, in which servers that are running can register again.
class Follower {
 public:
  // From `first` up to but without `end`; without an end `first` alone.
  struct Keys {
    std::string first;
    std::string end;
  };

  // By key, in order. A key that etcd does not have is not there.
  using Values = std::map<std::string, std::string>;

  // Called on the thread.
  struct Listener {
    // What etcd has, after each reading and each change.
    std::function<void(const Values& values)> take;
    // The values that were taken last may no longer be those of etcd, and why: in a sentence
    // without its end. Not called twice in a row with the same reason.
    std::function<void(const std::string& reason)> lose_track;
  };

  // Calls nothing.
  Follower(const Endpoint& endpoint, Keys keys);
  ~Follower();

  // Reads the keys now; waits for etcd within limits::call_timeout. The error is etcd's or gRPC's.
  // To be called before start().
  std::expected<Values, std::string> read();

  // Starts the thread, which ends with the destructor. REQUIRES: the listener outlives this.
  void start(Listener listener);

 private:
  class Reader;  // What etcd is called with. The thread alone uses it once that has started.

  const std::unique_ptr<Reader> reader_;
  std::jthread thread_;
};

}  // namespace rps::etcd
