// The limits of this stage's transport. Each has a flag; what trips is counted in
// rps_connections_cut_total{reason}, in rps_connections_refused_total or as an error of a request.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace CLI {
class App;
}

namespace rps::jsonrpc {

namespace limits {

// The length field of a frame has 16 bits.
inline constexpr std::size_t frame_payload_bytes_max = 65'535;

// Containers inside containers, so that no input can make a parser recurse deeply.
inline constexpr std::size_t json_depth_max = 64;

// Calls of one batch. A batch is one payload, but each of its calls costs what a call costs.
inline constexpr std::size_t batch_calls_max = 100;

// The JSON text of a request's id, quotes included: it is echoed, so it bounds the reply.
inline constexpr std::size_t id_text_bytes_max = 256;

// The longest reply to one call, its id included. With the limits above, the replies to a batch
// always fit into one frame: no call is carried out whose reply could not be sent.
inline constexpr std::size_t reply_bytes_max = 640;
static_assert(batch_calls_max * (reply_bytes_max + 1) + 2 <= frame_payload_bytes_max);

}  // namespace limits

// Those that an operator may change.
struct Limits {
  std::size_t connections_max = 10'000;                           // --max-connections
  std::size_t frame_bytes_max = limits::frame_payload_bytes_max;  // --max-frame-bytes, payload only
  std::size_t batch_calls_max = limits::batch_calls_max;          // --max-batch

  // Unsent bytes of one connection above which it is not read any further.
  std::size_t unsent_bytes_max = 262'144;  // --max-unsent-bytes
  // Events that wait for a connection that does not read; one more cuts it.
  std::size_t events_waiting_max = 256;  // --max-waiting-events
  // Calls of one connection handled before the others get their turn.
  std::size_t calls_per_turn = 128;  // --calls-per-turn

  std::chrono::milliseconds first_frame_max{10'000};  // --first-frame-timeout: from the accept.
  std::chrono::milliseconds frame_max{10'000};        // --frame-timeout: from its first byte.
  std::chrono::milliseconds write_stall_max{30'000};  // --write-timeout: from the last progress.
  std::chrono::milliseconds idle_max{60'000};         // --idle-timeout: from the last frame.
  std::chrono::milliseconds linger_max{1'000};        // --linger: for the peer to read and close.

  // How often each thread looks for connections that are past one of the times above.
  std::chrono::milliseconds scan_period{250};
};

// Adds the flags named above; `limits` must outlive the parsing.
void add_flags(CLI::App& app, Limits& limits);

}  // namespace rps::jsonrpc
