// The file of --config.
#pragma once

#include <string>

#include "core/net/followed.hpp"
#include "core/server/config_source.hpp"

namespace rps::server {

// Reads a regular file of limits::config_bytes_max at most, and never waits.
ConfigSource::Text read_config_file(const std::string& path);

// The file, read again when it changes (followed.hpp).
class ConfigFile final : public ConfigSource {
 public:
  // `known` is what the file held when it was read before.
  ConfigFile(const std::string& path, const std::string& known);

  const Text& text() const override { return text_.content(); }
  bool poll(Clock::time_point now) override { return text_.poll(now); }
  bool reread() override { return text_.reread(); }
  void reject() override { text_.reject(); }
  bool is_current() const override { return text().has_value(); }

 private:
  net::Followed<Text> text_;
};

}  // namespace rps::server
