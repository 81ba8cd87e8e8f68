#include "core/server/config_file.hpp"

#include "core/clock.hpp"
#include "core/net/file.hpp"
#include "core/server/limits.hpp"

namespace rps::server {

ConfigSource::Text read_config_file(const std::string& path) {
  return net::read_file(path, limits::config_bytes_max);
}

ConfigFile::ConfigFile(const std::string& path, const std::string& known)
    : text_(
          {path}, [path] { return read_config_file(path); },
          {.look_period = limits::config_look_period}, Clock::now(), Text(known)) {}

}  // namespace rps::server
