// The instances of one service as etcd lists them, followed by a watch.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/etcd/connection.hpp"
#include "core/etcd/follower.hpp"
#include "core/fleet/connect.hpp"
#include "core/fleet/registry.hpp"
#include "core/net/fd.hpp"

namespace rps::etcd {

// While etcd does not answer, the last list stays in force; the same for limits::lease when etcd
// has lost its data, so that servers that are running can register again (follower.hpp).
//
// A value that is no URL with host and port is left out, and reported once while it stays. A list
// of more than fleet::limits::instances_max instances is reported and not taken.
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
  // On the follower's thread.
  void take(const Follower::Values& values);
  void lose_track(std::string sentence);

  const Options options_;
  const net::Fd changed_;  // An eventfd, written by the thread.
  fleet::Listing listing_;
  bool is_current_ = true;

  std::set<std::string> left_out_;  // What take() has last said of keys; used by it alone.

  std::mutex mutex_;         // Guards what follows.
  bool is_followed_ = true;  // Whether the last list is etcd's.
  std::optional<std::vector<std::string>> next_;
  std::vector<std::string> sentences_;

  Follower follower_;  // Last: its thread ends before the members that it uses.
};

// For core/fleet/connect.hpp: the lists behind etcd:// and etcds:// (connection.hpp).
fleet::Source fleet_source();

}  // namespace rps::etcd
