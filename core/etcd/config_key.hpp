// The text of --config in a key of etcd, followed by a watch.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/etcd/connection.hpp"
#include "core/etcd/follower.hpp"
#include "core/server/directory.hpp"

namespace rps::etcd {

// A change of the key is there for the next poll(). While etcd does not answer, the last text
// stays. A key that is gone, or is larger than server::limits::config_bytes_max, is an error in
// text().
class ConfigKey final : public server::ConfigSource {
 public:
  struct Name {
    Endpoint endpoint;
    std::string key;
  };

  // The key's text now. Waits for etcd within limits::call_timeout.
  static Text read(const Name& name);

  // `known` is the text as it was read before. `warn` is called by poll().
  ConfigKey(const Name& name, std::string known, server::Directory::Warn warn);

  const Text& text() const override { return text_; }
  bool poll(Clock::time_point now) override;
  bool reread() override;
  void reject() override { is_rejected_ = true; }
  bool is_current() const override { return is_current_; }

 private:
  const server::Directory::Warn warn_;
  Text text_;
  bool is_rejected_ = false;  // text_ is.
  bool is_current_ = true;

  std::mutex mutex_;  // Guards what follows.
  bool is_followed_ = true;
  std::optional<Text> next_;
  std::vector<std::string> sentences_;

  Follower follower_;  // Last: its thread ends before the members that it uses.
};

}  // namespace rps::etcd
