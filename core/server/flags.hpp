// The flags that every server shares. All flags are checked before the server starts anything; a
// mistake is one sentence on stderr that names the flag. docs/flags.md lists the spellings.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/flags/group.hpp"
#include "core/game.hpp"
#include "core/net/http_host.hpp"
#include "core/server/config_source.hpp"
#include "core/server/directory.hpp"
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
                         // --max-spectators --max-spectators-per-duel
  std::optional<HostPort> admin;                 // --admin; none: no admin port.
  std::vector<std::string> hosts;                // --host: names of the server, for HTTP.
  std::optional<Directory::Register> registers;  // --register; none: the server does not.
  std::string advertise;  // --advertise: "host" or "host:port"; empty: as it listens.
  LogOptions log;         // --log-level --log-format
  std::chrono::milliseconds drain_max{5000};  // --drain: how long SIGTERM waits for calls.
};

// What --help says of a program.
struct Program {
  std::string name;         // "rps-jsonrpc"
  std::string description;  // One line.
  std::string threads_help =
      "Serving threads; 0: one for each CPU that the process may use, by its affinity mask and the "
      "CPU quota of its cgroup";
  // For --register and URLs of --config; none: those are refused.
  std::optional<Directory> directory = std::nullopt;
};

// Adds the stage's own flags to the same parser, so that they appear in --help and may stand in the
// text of --config.
using AddFlags = std::function<void(CLI::App&)>;

// What --config names.
struct ConfigText {
  std::string name;  // A path or a URL.
  std::string text;
};

// What the flags are set to: once at the start, and again by each reload (reload.hpp).
struct Settings {
  ServerFlags server;
  std::vector<flags::FlagValue> values;  // Of all flags, those of the stage as well.
  std::optional<ConfigText> config;      // None without --config.
};

// What clients connect to: `own`, the server's URL, with the host and port of --advertise where
// that says them. Throws std::invalid_argument when the host is then one that means all addresses.
std::string advertised_url(const std::string& own, const std::string& advertise);

// The names by which requests of HTTP at `address` may call the server: --host, and the host of the
// address itself.
net::HostNames host_names(const ServerFlags& flags, const HostPort& address);

// Gives the text that --config names.
using ReadConfig = std::function<ConfigSource::Text(const std::string& name)>;

// From a file or, where the name is a URL, from the program's directory service. Waits for that.
ConfigSource::Text read_config(const std::string& name, const Program& program);

// The same followed from what read_config() has given. `warn` is called by poll(). REQUIRES:
// read_config() has taken the name.
std::unique_ptr<ConfigSource> follow_config(const ConfigText& config, const Program& program,
                                            Directory::Warn warn);

// Reads argv and, with --config, a text that sets flags by the same names (config_text.hpp); where
// both set a flag, argv wins. A key that is no flag, a key that stands there twice and a flag given
// twice are mistakes, and so is a text that `config` cannot give. The error is the first mistake,
// in one sentence. Throws CLI::Success after --help or --version. Without --seed the game gets a
// secret from the random device.
std::expected<Settings, std::string> read_flags(int argc, const char* const* argv,
                                                const Program& program, const AddFlags& add_flags,
                                                const ReadConfig& config);

// The same for the start of a process, with read_config(). When the process should end instead of
// going on (--help,
// --version or a mistake), the error is its exit code: 0 or 2.
std::expected<Settings, int> parse_flags(int argc, const char* const* argv, const Program& program,
                                         const AddFlags& add_flags);

}  // namespace rps::server
