// The instances of one service as etcd lists them, followed by a watch.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/etcd/connection.hpp"
#include "core/fleet/connect.hpp"
#include "core/fleet/registry.hpp"
#include "core/net/fd.hpp"

namespace rps::etcd {

// A thread of its own reads the keys of the service once, and then follows their changes. When the
// watch ends (etcd stopped, or it has compacted the revision that the watch would begin at), the
// thread reads all keys again; until it can, the last list stays in force. When etcd is then at an
// older revision than before, it has lost its data: the last list stays for limits::lease more, so
// that servers that are running can register again.
//
// A value that is no URL with host and port is left out and reported. A list of more than
// fleet::limits::instances_max instances is reported and not taken.
class EtcdRegistry final : public fleet::Registry {
 public:
  using Warn = std::function<void(const std::string& sentence)>;

  struct Options {
    Endpoint endpoint;
    std::string prefix;  // Without "/" at its ends.
    std::string service;
    // Told by poll(), and by the constructor, why a list is not current or not complete.
    Warn warn = [](const std::string&) {};
  };

  // Waits for the first list. Throws std::runtime_error when etcd does not give it.
  explicit EtcdRegistry(Options options);
  ~EtcdRegistry() override = default;

  const fleet::Listing& list() const override { return listing_; }
  int fd() const override { return changed_.get(); }
  Clock::time_point due() const override { return Clock::time_point::max(); }
  bool poll(Clock::time_point now) override;
  bool is_current() const override { return is_current_; }

 private:
  class Reader;  // What the thread calls etcd with.

  // By key, in order.
  using Values = std::map<std::string, std::string>;

  void follow(const std::stop_token& stop, Reader& reader);
  void publish(const Values& values);
  void report(std::string sentence);
  void report_loss();
  void lose_track();

  const Options options_;
  const net::Fd changed_;  // An eventfd, written by the thread.
  fleet::Listing listing_;
  bool is_current_ = true;

  std::mutex mutex_;  // Guards what follows.
  bool is_followed_ = true;  // Whether the last list is etcd's.
  std::optional<std::vector<std::string>> next_;
  std::vector<std::string> sentences_;

  std::jthread thread_;  // Last: it ends before the members that it uses.
};

// For core/fleet/connect.hpp: the lists behind etcd:// and etcds:// (connection.hpp).
fleet::Source fleet_source();

}  // namespace rps::etcd
