// The flags that every server shares. All flags are checked before the server starts anything; a
// mistake is one sentence on stderr that names the flag. docs/flags.md lists the spellings.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/game.hpp"
#include "core/net/http_host.hpp"
#include "core/server/log.hpp"
#include "core/url.hpp"

namespace CLI {
class App;
}

namespace rps::server {

struct ServerFlags {
  HostPort listen{.host = "127.0.0.1", .port = 0};  // --listen; port 0: a free one.
  unsigned threads = 0;  // --threads; 0: one for each CPU that the process may use (cpus.hpp).
  GameOptions game;      // --house --seed --max-sessions --session-idle --max-duels --duel-idle
  std::optional<HostPort> admin;              // --admin; none: no admin port.
  std::vector<std::string> hosts;             // --host: names of the server, for HTTP.
  LogOptions log;                             // --log-level --log-format
  std::chrono::milliseconds drain_max{5000};  // --drain: how long SIGTERM waits for calls.
};

struct Program {
  std::string name;         // "rps-jsonrpc"
  std::string description;  // One line.
  std::string threads_help =
      "Serving threads; 0: one for each CPU that the process may use, by its affinity mask and the "
      "CPU quota of its cgroup";
  // Adds the stage's own flags to the same parser, so that they appear in --help and may stand in
  // the file of --config.
  std::function<void(CLI::App&)> add_flags = [](CLI::App&) {};
};

// The names by which requests of HTTP at `address` may call the server: --host, and the host of the
// address itself.
net::HostNames host_names(const ServerFlags& flags, const HostPort& address);

// Reads argv and, with --config FILE, a file that sets flags by the same names (`drain = 5s`, a
// line each, in CLI11's TOML-like format); where both set a flag, argv wins. A key that is no flag,
// a key that stands there twice and a flag given twice are mistakes, and so is a file that is no
// regular one or above limits::config_file_bytes_max. Without --seed the game gets a
// secret from the random device. When the process should end instead (--help, --version or a
// mistake), the error is its exit code: 0 or 2.
std::expected<ServerFlags, int> parse_flags(int argc, const char* const* argv,
                                            const Program& program);

}  // namespace rps::server
