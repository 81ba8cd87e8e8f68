#include "stage2_jsonrpc/limits.hpp"

#include "core/flags/group.hpp"

namespace rps::jsonrpc {

void add_flags(CLI::App& app, Limits& limits) {
  using namespace std::chrono_literals;
  constexpr std::uint64_t calls_per_second_max = 1'000'000;
  constexpr CountRange count{.min = 1, .max = 1'000'000};
  constexpr CountRange bytes{.min = 1, .max = std::uint64_t{1} << 30};
  constexpr DurationRange time{.min = 1ms, .max = 24h, .bare = 1ms};

  flags::Group network(app, "Network");
  network.add_choice("--accept", limits.accepting,
                     {{"shared-port", Accepting::shared_port}, {"single", Accepting::single}},
                     "Who accepts connections: each thread for itself, or one thread for all");

  flags::Group maxima(app, "Limits");
  maxima.reloadable().add_count("--max-connections", limits.connections_max, count,
                                "Connections open at once");
  maxima.add_size("--max-frame-bytes", limits.frame_bytes_max,
                  {.min = 1, .max = limits::frame_payload_bytes_max}, "Payload of one frame");
  maxima.add_size("--max-line-bytes", limits.line_bytes_max, bytes, "One line of JSON");
  maxima.add_size("--max-body-bytes", limits.body_bytes_max, bytes, "Body of one HTTP request");
  maxima.add_size("--max-header-bytes", limits.header_bytes_max, bytes,
                  "Request line and header fields of one HTTP request");
  maxima.add_count("--max-batch", limits.batch_calls_max,
                   {.min = 1, .max = limits::batch_calls_max}, "Calls of one batch");
  maxima.add_size("--max-unsent-bytes", limits.unsent_bytes_max, bytes,
                  "Unsent bytes above which a connection is not read further");
  maxima.add_count("--max-waiting-events", limits.events_waiting_max, count,
                   "Events that may wait for a connection that does not read; one more closes it");
  maxima.add_count("--calls-per-turn", limits.calls_per_turn, count,
                   "Calls of one connection handled before those of the others");
  maxima.add_rate("--rate-limit", limits.calls_per_second_max,
                  {.min = 0, .max = calls_per_second_max},
                  "Calls a second from one address, 0 for no limit");
  maxima.add_count("--rate-burst", limits.calls_burst_max, {.min = 1, .max = calls_per_second_max},
                   "Calls at once on top of --rate-limit");

  flags::Group timeouts(app, "Timeouts");
  timeouts.add_duration("--overload-after", limits.pass_max, time,
                        "Time that serving every ready connection once may keep taking before "
                        "calls are refused");
  timeouts.add_duration(
      "--first-frame-timeout", limits.first_message_max, time,
      "Time from connecting to the first whole message; then the connection is closed");
  timeouts.add_duration(
      "--frame-timeout", limits.message_max, time,
      "Time from a message's first byte to its last; then the connection is closed");
  timeouts.add_duration(
      "--write-timeout", limits.write_stall_max, time,
      "Time in which a client takes no byte of its replies; then the connection is closed");
  timeouts.add_duration(
      "--idle-timeout", limits.idle_max, time,
      "Time without a message in either direction; then the connection is closed");
  timeouts.add_duration("--give-way-after", limits.in_use_max, time,
                        "Time without a message after which a connection may be closed to make "
                        "room for a new one, when --max-connections are open");
  timeouts.add_duration("--linger", limits.linger_max, time,
                        "Time for the client to read the last bytes and close the connection");
}

}  // namespace rps::jsonrpc
