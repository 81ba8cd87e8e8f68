#include "stage2_jsonrpc/limits.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include <CLI/CLI.hpp>

namespace rps::jsonrpc {

namespace {

constexpr std::uint64_t bytes_max = std::uint64_t{1} << 30;
constexpr std::uint32_t calls_per_second_max = 1'000'000;

const std::map<std::string, Accepting> accepting_names{{"shared-port", Accepting::shared_port},
                                                       {"single", Accepting::single}};

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
  add_count(app, "--max-line-bytes", limits.line_bytes_max, bytes_max, "One line of JSON");
  add_count(app, "--max-body-bytes", limits.body_bytes_max, bytes_max, "Body of one HTTP request");
  add_count(app, "--max-header-bytes", limits.header_bytes_max, bytes_max,
            "Request line and header fields of one HTTP request");
  add_count(app, "--max-batch", limits.batch_calls_max, limits::batch_calls_max,
            "Calls of one batch");
  add_count(app, "--max-unsent-bytes", limits.unsent_bytes_max, bytes_max,
            "Unsent bytes above which a connection is not read further");
  add_count(app, "--max-waiting-events", limits.events_waiting_max, 1'000'000,
            "Events that may wait for a connection that does not read");
  add_count(app, "--calls-per-turn", limits.calls_per_turn, 1'000'000,
            "Calls of a connection handled before others get their turn");
  app.add_option("--rate-limit", limits.calls_per_second_max,
                 "Calls a second from one address; 0 is no limit")
      ->check(CLI::Range(0U, calls_per_second_max).description(""))
      ->type_name("0.." + std::to_string(calls_per_second_max))
      ->capture_default_str();
  app.add_option("--rate-burst", limits.calls_burst_max, "Calls at once on top of --rate-limit")
      ->check(CLI::Range(1U, calls_per_second_max).description(""))
      ->type_name("1.." + std::to_string(calls_per_second_max))
      ->capture_default_str();
  add_time(app, "--overload-after", limits.pass_max,
           "that serving everyone once may keep taking before calls are refused");
  add_time(app, "--first-frame-timeout", limits.first_message_max,
           "from connecting to the first whole message");
  add_time(app, "--frame-timeout", limits.message_max, "from a message's first byte to its last");
  add_time(app, "--write-timeout", limits.write_stall_max, "without progress of a pending write");
  add_time(app, "--idle-timeout", limits.idle_max, "without a message in either direction");
  add_time(app, "--linger", limits.linger_max, "for the peer to read the last bytes and close");
  app.add_option("--accept", limits.accepting,
                 "Who accepts: each thread for itself, or one for all in turn")
      ->transform(CLI::CheckedTransformer(accepting_names).description(""))
      ->type_name("shared-port|single")
      ->default_str("shared-port");
}

}  // namespace rps::jsonrpc
