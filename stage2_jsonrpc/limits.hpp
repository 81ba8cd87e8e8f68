// The limits of this stage's transport. Those in Limits have flags; counters.hpp names the metrics
// that count what exceeds a limit.
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

// How deeply JSON arrays and objects may be nested, so that no input makes a parser recurse deeply.
inline constexpr std::size_t json_depth_max = 64;

// Values of one JSON request: its members, and all that is inside them. No call needs more than
// eight; members that JSON-RPC does not know may add some.
inline constexpr std::size_t call_values_max = 128;

// Bytes of one JSON request as it is spelled, without the white space between its tokens. A request
// with the longest ids that the game takes, every character of them escaped, has less.
inline constexpr std::size_t call_bytes_max = 2'048;

// Calls of one batch. Each call of a batch costs the server as much as a call of its own.
inline constexpr std::size_t batch_calls_max = 100;

// Bytes of a request's id as it is spelled, in JSON with its quotes. A reply repeats the id, so
// this limits the length of a reply.
inline constexpr std::size_t id_text_bytes_max = 256;

// The longest reply to one call, its id included. With the limits above, the replies to a batch
// always fit into one frame: no call is carried out whose reply could not be sent.
inline constexpr std::size_t reply_bytes_max = 640;
static_assert(batch_calls_max * (reply_bytes_max + 1) + 2 <= frame_payload_bytes_max);

// Bytes that one read takes at most: the longest frame, which then nearly always arrives whole.
inline constexpr std::size_t read_bytes_max = std::size_t{64} << 10;

// A message that comes at this rate or faster is waited for, however long it is: the times
// --first-frame-timeout and --frame-timeout grow by a second for each so many bytes of it.
inline constexpr std::size_t message_bytes_per_second_min = 1024;

// How often the log says at most how many connections have given way to new ones.
inline constexpr std::chrono::seconds gave_way_report_period{10};

// Log lines about sampled calls that one serving thread may write in a second.
inline constexpr std::uint32_t trace_lines_per_second_max = 100;

}  // namespace limits

// Who accepts the connections. Measured against each other in README.md.
enum class Accepting : std::uint8_t {
  shared_port,  // Each thread listens; the kernel chooses the thread by a hash (SO_REUSEPORT).
  single,       // One thread accepts and hands the connections to all threads in turn.
};

// The limits that an operator may change.
struct Limits {
  std::size_t connections_max = 10'000;                           // --max-connections
  std::size_t frame_bytes_max = limits::frame_payload_bytes_max;  // --max-frame-bytes, payload only
  std::size_t line_bytes_max = 1'048'576;                         // --max-line-bytes
  std::size_t body_bytes_max = 1'048'576;                         // --max-body-bytes
  std::size_t header_bytes_max = 8'192;                           // --max-header-bytes
  std::size_t batch_calls_max = limits::batch_calls_max;          // --max-batch

  // Unsent bytes of one connection above which it is not read any further.
  std::size_t unsent_bytes_max = 262'144;  // --max-unsent-bytes
  // Events that wait for a connection that does not read; at one more it is closed.
  std::size_t events_waiting_max = 256;  // --max-waiting-events
  // Calls of one connection handled before the others get their turn.
  std::size_t calls_per_turn = 128;  // --calls-per-turn

  std::uint32_t calls_per_second_max = 0;  // --rate-limit: of one peer's address; 0: no limit.
  std::uint32_t calls_burst_max = 100;     // --rate-burst: at once, on top of that.

  // When serving all ready connections once keeps taking longer than this, calls are refused.
  std::chrono::milliseconds pass_max{100};  // --overload-after

  std::chrono::milliseconds first_message_max{10'000};  // --first-frame-timeout: from the accept.
  std::chrono::milliseconds message_max{10'000};        // --frame-timeout: from its first byte.
  std::chrono::milliseconds write_stall_max{30'000};    // --write-timeout: from the last progress.
  std::chrono::milliseconds idle_max{60'000};           // --idle-timeout: from the last message.
  std::chrono::milliseconds linger_max{1'000};          // --linger: for the peer to read and close.
  // --give-way-after: a connection on which nothing has moved for longer gives way to a new one
  // when connections_max are open.
  std::chrono::milliseconds in_use_max{1'000};

  // How often each thread looks for connections that are past one of the times above.
  std::chrono::milliseconds scan_period{250};

  Accepting accepting = Accepting::shared_port;  // --accept
};

// Adds the flags named above; `limits` must outlive the parsing.
void add_flags(CLI::App& app, Limits& limits);

}  // namespace rps::jsonrpc
