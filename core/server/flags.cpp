#include "core/server/flags.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/flags/group.hpp"
#include "core/server/config_file.hpp"
#include "core/server/config_text.hpp"
#include "core/server/limits.hpp"

namespace rps::server {

namespace {

std::string check_host_name(const std::string& text) {
  const auto authority = net::parse_authority(text);
  const bool is_name = authority && !text.contains(':');
  return is_name ? "" : "must be a host name without a port, not '" + text + "'";
}

std::string check_advertised(const std::string& text) {
  const auto authority = net::parse_authority(text);
  return authority ? "" : "must be HOST or HOST:PORT, not '" + text + "'";
}

bool is_url(std::string_view text) {
  return text.contains("://");
}

// The URL of `directory` that `text` is.
std::expected<Url, std::string> read_url(const std::optional<Directory>& directory,
                                         const std::string& text) {
  if (!directory) return std::unexpected("this build has no client for a directory service");
  auto url = parse_url(text);
  if (url && std::ranges::find(directory->schemes, url->scheme) == directory->schemes.end()) {
    return std::unexpected("must be a URL of scheme " + directory->schemes.front() + ", not '" +
                           text + "'");
  }
  return url;
}

// Sets `out` to what registers the server where the URL says, or returns what is wrong.
std::string read_register(const std::optional<Directory>& directory, const std::string& text,
                          std::optional<Directory::Register>& out) {
  const auto url = read_url(directory, text);
  if (!url) return url.error();
  try {
    out = directory->read_register(*url);
    return "";
  } catch (const std::invalid_argument& mistake) {
    return mistake.what();
  }
}

void add_server_flags(CLI::App& app, ServerFlags& flags, const Program& program) {
  using namespace std::chrono_literals;

  flags::Group network(app, "Network");
  network.add_address("--listen", flags.listen, "Address to serve at; port 0 picks a free one");
  network.add_address("--admin", flags.admin,
                      "Address of /healthz, /readyz and /metrics; without it they are not served");
  network
      .add_texts("--host", flags.hosts, "NAME",
                 "Name of this server that requests of HTTP may use besides localhost and IP "
                 "addresses; may be given several times")
      .check(check_host_name);
  network.add_count("--threads", flags.threads, {.min = 0, .max = limits::threads_max},
                    program.threads_help);
  network.add("--register", "URL", "",
              "Directory service that lists this server for clients while it serves: "
              "etcd://HOST:PORT/PREFIX?service=NAME; without a service's name it is rps",
              [&program, &flags](const std::string& text) {
                return read_register(program.directory, text, flags.registers);
              });
  network
      .add_text("--advertise", flags.advertise, "HOST[:PORT]",
                "Address under which --register lists this server; without it that of --listen")
      .check(check_advertised);

  flags::Group game(app, "Game");
  game.add_choice("--house", flags.game.house, flags::houses(), "How the house chooses its moves");
  game.add_number("--seed", flags.game.seed, {},
                  "Makes the house's moves repeatable: one seed, one transcript");

  flags::Group limits(app, "Limits");
  limits.add_count("--max-sessions", flags.game.sessions_max,
                   {.min = 1, .max = rps::limits::sessions_max}, "Sessions kept at once");
  limits.add_count("--max-duels", flags.game.duels_max, {.min = 1, .max = rps::limits::duels_max},
                   "Duels open at once");
  limits.add_count("--max-spectators", flags.game.spectators_max,
                   {.min = 1, .max = rps::limits::spectators_max},
                   "Spectators of all duels together, on a server that has Watch");
  limits.add_count("--max-spectators-per-duel", flags.game.spectators_per_duel_max,
                   {.min = 1, .max = rps::limits::spectators_max},
                   "Spectators of one duel, on a server that has Watch");

  constexpr DurationRange idle{.min = limits::idle_min, .max = limits::idle_max, .bare = 1s};
  flags::Group timeouts(app, "Timeouts");
  timeouts.add_duration("--session-idle", flags.game.session_idle, idle,
                        "Time after which an unused session is forgotten");
  timeouts.add_duration("--duel-idle", flags.game.duel_idle, idle,
                        "Time after which an unused duel is closed");
  timeouts.reloadable().add_duration("--drain", flags.drain_max,
                                     {.max = limits::drain_max, .bare = 1ms},
                                     "Time that the server waits after SIGTERM for the last calls");

  flags::Group log(app, "Log");
  log.reloadable().add_choice("--log-level", flags.log.level,
                              {{"debug", LogLevel::debug},
                               {"info", LogLevel::info},
                               {"warn", LogLevel::warn},
                               {"error", LogLevel::error},
                               {"off", LogLevel::off}},
                              "Least severe level that is logged");
  log.add_choice("--log-format", flags.log.format,
                 {{"text", LogFormat::text}, {"json", LogFormat::json}}, "Format of a log line");
}

std::uint64_t random_secret() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

// CLI11 would open a file for itself, wait where it is a pipe, and read whatever is in it. So it is
// told that the file is this one, and gets the text that Format holds.
constexpr const char* empty_file = "/dev/null";

// What CLI11 asks for the text of --config, which is read in our format: CLI11's own
// parser takes eleven seconds for some lines of 16 KiB, and skips lines of one or two characters.
class Format final : public CLI::ConfigBase {
 public:
  Format(const CLI::App& app, ReadConfig read) : app_(app), read_(std::move(read)) {}

  // Reads what is named, for which CLI11 asks twice. Returns what is wrong with it; nothing when
  // nothing is.
  std::string read(const std::string& name) {
    if (config_ && config_->name == name) return "";
    if (name.empty()) return "needs a path";
    auto text = read_(name);
    if (!text) return "'" + name + "' " + text.error();
    config_ = {.name = name, .text = *std::move(text)};
    return "";
  }

  // What was read; nothing without --config.
  const std::optional<ConfigText>& config() const { return config_; }

  // Every key is a flag and stands there once.
  std::vector<CLI::ConfigItem> from_config(std::istream&) const override {
    auto entries = parse_config(config_ ? config_->text : "");
    if (!entries) throw CLI::ConfigError(entries.error());
    std::set<std::string> seen;
    std::vector<CLI::ConfigItem> found;
    for (ConfigEntry& entry : *entries) {
      if (!app_.get_option_no_throw("--" + entry.key)) refuse(entry.key, "is no flag");
      if (!seen.insert(entry.key).second) refuse(entry.key, "stands there twice");
      found.push_back({.parents = {}, .name = entry.key, .inputs = std::move(entry.values)});
    }
    return found;
  }

 private:
  [[noreturn]] static void refuse(const std::string& key, const std::string& why) {
    throw CLI::ConfigError("the key '" + key + "' " + why);
  }

  const CLI::App& app_;
  ReadConfig read_;
  std::optional<ConfigText> config_;
};

// One reading of all flags of a program.
class Reading {
 public:
  Reading(const Program& program, const AddFlags& add_flags, const ReadConfig& config)
      : app_(program.description, program.name), format_(std::make_shared<Format>(app_, config)) {
    app_.set_config(
            "--config", "",
            "Reads flags from a file, or from a key of etcd (etcd://HOST:PORT/KEY), a line "
            "each: threads = 2. While the server runs, flags marked as reloadable follow it")
        ->type_name("FILE|URL")
        ->transform(CLI::Validator(
            [this](std::string& name) {
              const std::string mistake = format_->read(name);
              if (mistake.empty()) name = empty_file;
              return mistake;
            },
            ""));
    app_.config_formatter(format_);
    app_.set_version_flag("--version", program.name + " " RPS_VERSION);
    add_server_flags(app_, flags_, program);
    add_flags(app_);
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  CLI::App& app() { return app_; }

  Settings settings() {
    if (!flags_.game.seed) flags_.game.secret = random_secret();
    return {.server = flags_, .values = flags::values_of(app_), .config = format_->config()};
  }

 private:
  ServerFlags flags_;
  CLI::App app_;
  const std::shared_ptr<Format> format_;
};

}  // namespace

std::string advertised_url(const std::string& own, const std::string& advertise) {
  Url url = *parse_url(own);
  HostPort address{.host = url.host, .port = url.port};
  if (const auto whole = parse_host_port(advertise)) {
    address = *whole;
  } else if (!advertise.empty()) {
    address.host = net::parse_authority(advertise)->host;
  }
  if (address.host == "0.0.0.0" || address.host == "::") {
    throw std::invalid_argument("--register needs --advertise HOST, as clients cannot connect to " +
                                address.host);
  }
  return url.scheme + "://" + to_string(address);
}

net::HostNames host_names(const ServerFlags& flags, const HostPort& address) {
  std::vector<std::string> names = flags.hosts;
  names.push_back(address.host);
  return net::HostNames(std::move(names));
}

ConfigSource::Text read_config(const std::string& name, const Program& program) {
  if (!is_url(name)) return read_config_file(name);
  const auto url = read_url(program.directory, name);
  if (!url) return std::unexpected("cannot be read: " + url.error());
  try {
    return program.directory->read_config(*url);
  } catch (const std::invalid_argument& mistake) {
    return std::unexpected(std::string("cannot be read: ") + mistake.what());
  }
}

std::unique_ptr<ConfigSource> follow_config(const ConfigText& config, const Program& program,
                                            Directory::Warn warn) {
  if (!is_url(config.name)) return std::make_unique<ConfigFile>(config.name, config.text);
  return program.directory->follow_config(*read_url(program.directory, config.name), config.text,
                                          std::move(warn));
}

std::expected<Settings, std::string> read_flags(int argc, const char* const* argv,
                                                const Program& program, const AddFlags& add_flags,
                                                const ReadConfig& config) {
  Reading reading(program, add_flags, config);
  if (auto mistake = flags::read(reading.app(), argc, argv)) {
    return std::unexpected(*std::move(mistake));
  }
  return reading.settings();
}

std::expected<Settings, int> parse_flags(int argc, const char* const* argv, const Program& program,
                                         const AddFlags& add_flags) {
  Reading reading(program, add_flags,
                  [&program](const std::string& name) { return read_config(name, program); });
  if (const auto exit_code = flags::parse(reading.app(), argc, argv, program.name)) {
    return std::unexpected(*exit_code);
  }
  return reading.settings();
}

}  // namespace rps::server
