// What a directory service does for a server: the interface between the frame of the servers and a
// client of such a service, which a stage's main() hands in (Program::directory).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/server/config_source.hpp"
#include "core/server/registration.hpp"
#include "core/url.hpp"

namespace rps::server {

// All functions throw std::invalid_argument for a URL that makes no sense.
struct Directory {
  std::vector<std::string> schemes;  // Of its URLs.

  // For --register: what puts an entry on the list that the URL names, and keeps it there. Connects
  // to nothing.
  using Register = std::function<std::unique_ptr<Registration>(Entry entry)>;
  std::function<Register(const Url& url)> read_register;

  // For --config: the text under the URL's key now. Waits for the service, up to its own limit.
  std::function<ConfigSource::Text(const Url& url)> read_config;

  // The same text followed. `known` is what read_config() has given. poll() calls `warn` with a
  // sentence when the service no longer answers. Waits for nothing.
  using Warn = std::function<void(const std::string& sentence)>;
  std::function<std::unique_ptr<ConfigSource>(const Url& url, std::string known, Warn warn)>
      follow_config;
};

}  // namespace rps::server
