// Any text as the file of --config: what it sets is the same each time it is read, lies within the
// ranges of the flags, and can be written again as such a file.
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "core/server/config_text.hpp"
#include "core/server/flags.hpp"
#include "core/server/limits.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "tests/fuzz/require.hpp"

namespace rps::server {
namespace {

using jsonrpc::require;

struct Reading {
  std::expected<Settings, std::string> settings;
  jsonrpc::Limits limits;
};

Reading read(const std::string& text) {
  constexpr std::array argv{"rps-fuzz", "--config", "file", "--threads=3"};
  Reading reading;
  reading.settings = read_flags(
      static_cast<int>(argv.size()), argv.data(), {.name = "rps-fuzz", .description = "A server"},
      [&reading](CLI::App& app) { jsonrpc::add_flags(app, reading.limits); },
      [&text](const std::string&) { return text; });
  return reading;
}

void check_same(const Reading& one, const Reading& other) {
  require(one.settings.has_value() == other.settings.has_value(), "both readings accept or refuse");
  if (!one.settings) return require(one.settings.error() == other.settings.error(), "same reason");
  const auto& values = one.settings->values;
  require(values.size() == other.settings->values.size(), "the same flags");
  for (std::size_t i = 0; i < values.size(); ++i) {
    require(values[i].name == other.settings->values[i].name, "in the same order");
    require(values[i].value == other.settings->values[i].value, "with the same values");
  }
}

template <class Value>
bool lies_between(Value value, Value min, Value max) {
  return min <= value && value <= max;
}

void check_ranges(const ServerFlags& flags, const jsonrpc::Limits& own) {
  using namespace std::chrono_literals;
  require(flags.threads == 3, "argv wins");
  require(lies_between<std::size_t>(flags.game.sessions_max, 1, rps::limits::sessions_max),
          "sessions");
  require(lies_between<std::size_t>(flags.game.duels_max, 1, rps::limits::duels_max), "duels");
  require(
      lies_between<Clock::duration>(flags.game.session_idle, limits::idle_min, limits::idle_max),
      "session idle");
  require(lies_between(flags.drain_max, 0ms, limits::drain_max), "drain");
  require(lies_between<std::size_t>(own.connections_max, 1, 1'000'000), "connections");
  require(lies_between<std::size_t>(own.frame_bytes_max, 1, 65'535), "frame bytes");
  require(lies_between<std::size_t>(own.batch_calls_max, 1, 100), "batch");
  require(lies_between(own.calls_per_second_max, 0U, 1'000'000U), "rate");
  require(lies_between(own.idle_max, 1ms, std::chrono::milliseconds(24h)), "idle");
}

// The values as a file; empty where one cannot stand in it.
std::string written(const Settings& settings) {
  std::string text;
  for (const flags::FlagValue& flag : settings.values) {
    // Lists are told in one text.
    if (flag.value.empty() || flag.name == "--host" || flag.name == "--threads") continue;
    require(!flag.value.contains('"'), "no value has quotes");
    text += flag.name.substr(2) + " = \"" + flag.value + "\"\n";
  }
  return text;
}

void check_entries(std::string_view text) {
  const auto entries = parse_config(text);
  if (!entries) return require(entries.error().starts_with("line "), "a mistake has its line");
  for (const ConfigEntry& entry : *entries) {
    require(!entry.values.empty(), "a key has a value");
    for (const std::string& value : entry.values) require(!value.contains('\n'), "of one line");
  }
}

}  // namespace
}  // namespace rps::server

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rps::server;
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_entries(text);
  const Reading reading = read(text);
  check_same(reading, read(text));
  if (!reading.settings) return 0;
  check_ranges(reading.settings->server, reading.limits);
  const Reading again = read(written(*reading.settings));
  require(again.settings.has_value(), "what was told of the values is accepted");
  for (std::size_t i = 0; i < again.settings->values.size(); ++i) {
    const auto& before = reading.settings->values[i];
    if (before.name == "--host") continue;
    require(again.settings->values[i].value == before.value, "and means the same");
  }
  return 0;
}
