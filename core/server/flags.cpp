#include "core/server/flags.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/server/limits.hpp"

namespace rps::server {

namespace {

[[noreturn]] void refuse(const std::string& flag, const std::string& why) {
  throw CLI::ValidationError(flag, why);
}

// A flag that `read` turns from text into a value, or refuses; --help shows what kind of `value` it
// takes and its `preset`. CLI11's own conversions are not used: they take octal and hexadecimal
// numbers and tell mistakes in their own words.
template <class Read>
void add_flag(CLI::App& app, const std::string& flag, const std::string& help,
              const std::string& value, const std::string& preset, Read read) {
  const auto take = [flag, read = std::move(read)](const CLI::results_t& words) {
    read(flag, words.front());
    return true;
  };
  app.add_option(flag, take, help)->type_name(preset.empty() ? value : value + " [" + preset + "]");
}

struct Range {
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

std::uint64_t read_number(const std::string& flag, std::string_view text, Range range) {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size() || number < range.min ||
      number > range.max) {
    refuse(flag, "must be a whole number from " + std::to_string(range.min) + " to " +
                     std::to_string(range.max) + ", not '" + std::string(text) + "'");
  }
  return number;
}

template <class Set>
void add_number(CLI::App& app, const std::string& flag, const std::string& help,
                const std::string& preset, Range range, Set set) {
  const std::string value = range.max == Range{}.max
                                ? "NUMBER"
                                : std::to_string(range.min) + ".." + std::to_string(range.max);
  add_flag(app, flag, help, value, preset, [range, set](const auto& name, const auto& text) {
    set(read_number(name, text, range));
  });
}

template <class Set>
void add_address(CLI::App& app, const std::string& flag, const std::string& help,
                 const std::string& preset, Set set) {
  add_flag(app, flag, help, "HOST:PORT", preset, [set](const auto& name, const auto& text) {
    const auto address = parse_host_port(text);
    if (!address) refuse(name, address.error());
    set(*address);
  });
}

template <class Value>
using Choice = std::pair<std::string_view, Value>;

constexpr std::array<Choice<LogLevel>, 5> log_levels{{{"debug", LogLevel::debug},
                                                      {"info", LogLevel::info},
                                                      {"warn", LogLevel::warn},
                                                      {"error", LogLevel::error},
                                                      {"off", LogLevel::off}}};
constexpr std::array<Choice<LogFormat>, 2> log_formats{
    {{"text", LogFormat::text}, {"json", LogFormat::json}}};

constexpr auto strategies = [] {
  std::array<Choice<Strategy>, all_strategies.size()> choices;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    choices[i] = {to_string(all_strategies[i]), all_strategies[i]};
  }
  return choices;
}();

// The choices must live as long as the program.
template <class Value, std::size_t count>
void add_choice(CLI::App& app, const std::string& flag, const std::string& help,
                const std::array<Choice<Value>, count>& choices, Value& target) {
  std::string names;
  std::string preset;
  for (const auto& [name, value] : choices) {
    names += (names.empty() ? "" : "|") + std::string(name);
    if (value == target) preset = name;
  }
  add_flag(app, flag, help, names, preset,
           [&choices, &target, names](const auto& flag_name, const auto& text) {
             for (const auto& [name, value] : choices) {
               if (name == text) return void(target = value);
             }
             refuse(flag_name, "must be one of " + names + ", not '" + text + "'");
           });
}

template <class Duration>
std::string count_of(auto duration) {
  return std::to_string(std::chrono::duration_cast<Duration>(duration).count());
}

void add_idle(CLI::App& app, const std::string& flag, const std::string& help,
              Clock::duration& target) {
  constexpr Range range{.min = limits::idle_min.count(), .max = limits::idle_max.count()};
  add_number(app, flag, help, count_of<std::chrono::seconds>(target), range,
             [&target](std::uint64_t n) { target = std::chrono::seconds(n); });
}

void add_game_flags(CLI::App& app, GameOptions& game) {
  add_choice(app, "--house", "How the house chooses its moves", strategies, game.house);
  add_number(app, "--seed", "Makes the house foreseeable: one seed, one transcript", "", {},
             [&game](std::uint64_t n) { game.seed = n; });
  add_number(app, "--max-sessions", "Sessions kept at once", std::to_string(game.sessions_max),
             {.min = 1, .max = rps::limits::sessions_max},
             [&game](std::uint64_t n) { game.sessions_max = n; });
  add_idle(app, "--session-idle", "Seconds after which an unused session is forgotten",
           game.session_idle);
  add_number(app, "--max-duels", "Duels open at once", std::to_string(game.duels_max),
             {.min = 1, .max = rps::limits::duels_max},
             [&game](std::uint64_t n) { game.duels_max = n; });
  add_idle(app, "--duel-idle", "Seconds after which an unused duel is closed", game.duel_idle);
}

void add_server_flags(CLI::App& app, ServerFlags& flags, const std::string& threads_help) {
  add_address(app, "--listen", "Where to serve; port 0 picks a free one", to_string(flags.listen),
              [&flags](const HostPort& address) { flags.listen = address; });
  add_number(app, "--threads", threads_help, "0", {.min = 0, .max = limits::threads_max},
             [&flags](std::uint64_t n) { flags.threads = static_cast<unsigned>(n); });
  add_address(app, "--admin", "Where to serve /healthz, /readyz and /metrics; nowhere without", "",
              [&flags](const HostPort& address) { flags.admin = address; });
  add_choice(app, "--log-level", "The least that is logged", log_levels, flags.log.level);
  add_choice(app, "--log-format", "How it is logged", log_formats, flags.log.format);
  add_number(app, "--drain", "Milliseconds that SIGTERM waits for the last calls",
             count_of<std::chrono::milliseconds>(flags.drain_max),
             {.min = 0, .max = limits::drain_max.count()},
             [&flags](std::uint64_t n) { flags.drain_max = std::chrono::milliseconds(n); });
}

std::uint64_t random_secret() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

// CLI11's format of a configuration file, held to more: every key is a flag and stands there once.
class ConfigFile final : public CLI::ConfigBase {
 public:
  explicit ConfigFile(const CLI::App& app) : app_(app) {}

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::vector<CLI::ConfigItem> found = ConfigBase::from_config(input);
    std::set<std::string> seen;
    for (const CLI::ConfigItem& item : found) {
      if (!item.parents.empty()) refuse("section", item.parents.front(), "has no meaning");
      if (!app_.get_option_no_throw("--" + item.name)) refuse("key", item.name, "is no flag");
      if (!seen.insert(item.name).second) refuse("key", item.name, "stands there twice");
    }
    return found;
  }

 private:
  [[noreturn]] static void refuse(const std::string& what, const std::string& name,
                                  const std::string& why) {
    throw CLI::ConfigError("the " + what + " '" + name + "' of the file " + why);
  }

  const CLI::App& app_;
};

// One sentence that names the flag.
std::string explain(const CLI::ParseError& error) {
  std::string what = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error)) {
    return what.substr(0, what.find(':')) + ": takes one value, once";
  }
  if (dynamic_cast<const CLI::ConfigError*>(&error) ||
      dynamic_cast<const CLI::FileError*>(&error)) {
    return "--config: " + what;
  }
  return what;
}

}  // namespace

std::expected<ServerFlags, int> parse_flags(int argc, const char* const* argv,
                                            const Program& program) {
  ServerFlags flags;
  CLI::App app(program.description, program.name);
  app.set_config("--config", "", "Reads flags from a file, a line each: threads = 2")
      ->type_name("FILE")
      ->check([](const std::string& path) { return path.empty() ? "needs a path" : ""; });
  app.config_formatter(std::make_shared<ConfigFile>(app));
  app.set_version_flag("--version", program.name + " " RPS_VERSION);
  add_server_flags(app, flags, program.threads_help);
  add_game_flags(app, flags.game);
  program.add_flags(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {
    return std::unexpected(app.exit(request));  // Prints the help or the version.
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "%s: %s\n", program.name.c_str(), explain(error).c_str());
    return std::unexpected(2);
  }
  if (!flags.game.seed) flags.game.secret = random_secret();
  return flags;
}

}  // namespace rps::server
