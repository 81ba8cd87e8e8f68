#include "stage2_jsonrpc/limits.hpp"

#include <cstdint>
#include <functional>
#include <string>

#include <CLI/CLI.hpp>

namespace rps::jsonrpc {

namespace {

// A flag that takes a whole number from 1 to `max`.
void add_number(CLI::App& app, const std::string& flag, std::uint64_t preset, std::uint64_t max,
                const std::function<void(std::uint64_t)>& set, const std::string& help) {
  app.add_option_function<std::uint64_t>(flag, set, help)
      ->check(CLI::Range(std::uint64_t{1}, max).description(""))
      ->type_name("1.." + std::to_string(max))
      ->default_str(std::to_string(preset));
}

void add_count(CLI::App& app, const std::string& flag, std::size_t& target, std::uint64_t max,
               const std::string& help) {
  add_number(app, flag, target, max, [&target](std::uint64_t count) { target = count; }, help);
}

void add_time(CLI::App& app, const std::string& flag, std::chrono::milliseconds& target,
              const std::string& help) {
  constexpr std::uint64_t day_ms = 86'400'000;
  const auto set = [&target](std::uint64_t count) { target = std::chrono::milliseconds(count); };
  add_number(app, flag, static_cast<std::uint64_t>(target.count()), day_ms, set,
             "Milliseconds " + help);
}

}  // namespace

void add_flags(CLI::App& app, Limits& limits) {
  add_count(app, "--max-connections", limits.connections_max, 1'000'000,
            "Connections open at once");
  add_count(app, "--max-frame-bytes", limits.frame_bytes_max, limits::frame_payload_bytes_max,
            "Payload of one frame");
  add_count(app, "--max-batch", limits.batch_calls_max, limits::batch_calls_max,
            "Calls of one batch");
  add_count(app, "--max-unsent-bytes", limits.unsent_bytes_max, 1 << 30,
            "Unsent bytes above which a connection is not read further");
  add_count(app, "--max-waiting-events", limits.events_waiting_max, 1'000'000,
            "Events that may wait for a connection that does not read");
  add_count(app, "--calls-per-turn", limits.calls_per_turn, 1'000'000,
            "Calls of a connection handled before others get their turn");
  add_time(app, "--first-frame-timeout", limits.first_frame_max,
           "from connecting to the first whole frame");
  add_time(app, "--frame-timeout", limits.frame_max, "from a frame's first byte to its last");
  add_time(app, "--write-timeout", limits.write_stall_max, "without progress of a pending write");
  add_time(app, "--idle-timeout", limits.idle_max, "without a frame in either direction");
  add_time(app, "--linger", limits.linger_max, "for the peer to read the last bytes and close");
}

}  // namespace rps::jsonrpc
