#include "core/etcd/config_key.hpp"

#include <utility>

#include "core/number.hpp"
#include "core/server/limits.hpp"

namespace rps::etcd {

namespace {

using Text = server::ConfigSource::Text;

// REQUIRES: the values are those of one key.
Text text_in(const Follower::Values& values) {
  if (values.empty()) return std::unexpected("is no key in etcd");
  const std::string& text = values.begin()->second;
  if (text.size() > server::limits::config_bytes_max) {
    return std::unexpected("is larger than " + size_text(server::limits::config_bytes_max));
  }
  return text;
}

}  // namespace

Text ConfigKey::read(const Name& name) {
  const auto values = Follower(name.endpoint, {.first = name.key}).read();
  if (!values) return std::unexpected("cannot be read: " + values.error());
  return text_in(*values);
}

ConfigKey::ConfigKey(const Name& name, std::string known, server::Directory::Warn warn)
    : warn_(std::move(warn)),
      text_(std::move(known)),
      follower_(name.endpoint, {.first = name.key}) {
  follower_.start({.take =
                       [this](const Follower::Values& values) {
                         const std::lock_guard lock(mutex_);
                         next_ = text_in(values);
                         is_followed_ = true;
                       },
                   .lose_track =
                       [this, key = name.key](const std::string& reason) {
                         const std::lock_guard lock(mutex_);
                         sentences_.push_back(reason + "; the last text of " + key +
                                              " stays until etcd gives a new one");
                         is_followed_ = false;
                       }});
}

bool ConfigKey::poll(Clock::time_point) {
  std::optional<Text> next;
  std::vector<std::string> sentences;
  {
    const std::lock_guard lock(mutex_);
    next.swap(next_);
    sentences.swap(sentences_);
    is_current_ = is_followed_;
  }
  for (const std::string& sentence : sentences) warn_(sentence);
  if (!next || *next == text_) return false;
  text_ = *std::move(next);
  is_rejected_ = false;
  return true;
}

bool ConfigKey::reread() {
  const bool was_rejected = std::exchange(is_rejected_, false);
  return poll(Clock::now()) || was_rejected;
}

}  // namespace rps::etcd
