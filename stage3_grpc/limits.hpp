// The limits of the gRPC wire. gRPC itself enforces most of them: it refuses what exceeds one
// before the service sees a request, so no metric counts it. Refused connections are counted in
// rps_connections_refused_total, and those that the flood guard closes in
// rps_connections_cut_total.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "stage3_grpc/chain/settings.hpp"
#include "stage3_grpc/rest/limits.hpp"
#include "stage3_grpc/tls/files.hpp"

namespace CLI {
class App;
}

namespace grpc {
class ServerBuilder;
}

namespace rps::rpc {

namespace limits {

// Serving threads where --threads does not say how many: gRPC's own number on a large machine. One
// of them polls at a time.
inline constexpr unsigned default_threads_max = 16;

// Bytes that gRPC reads from a connection at once.
inline constexpr int read_bytes_max = 16 * 1024;

// Bytes of --max-memory-bytes that gRPC counts for a connection on which nothing happens, whatever
// it really needs. Measured: 9 to 12 kB.
inline constexpr std::size_t connection_memory_bytes = std::size_t{16} * 1024;

// The flood guard's budgets (boundary/frame_ledger.hpp). Calls that a client may open before it has
// read --max-streams, and bytes of a call's headers besides what --max-metadata-bytes allows: one
// frame of the usual size.
inline constexpr int early_calls_max = 100;
inline constexpr std::uint64_t header_frame_bytes = std::uint64_t{16} * 1024;

// How long the flood guard waits at the start for gRPC to answer its own connection.
inline constexpr std::chrono::seconds self_check_max{10};

// Idle connections that are closed at once when a new one finds no place; so many connections may
// be open besides --max-connections until gRPC has closed them.
inline constexpr std::size_t places_made = 16;

// A PlayMany whose peer sends nothing for this long is ended.
inline constexpr std::chrono::milliseconds drain_silence_max{1'000};

// How often a draining server looks whether all that has happened.
inline constexpr std::chrono::milliseconds drain_look_period{5};

// Bytes of a name that a client of reflection asks for.
inline constexpr std::size_t reflected_name_bytes_max = 512;

// Lines that gRPC may log in one second; further lines are counted and not written.
inline constexpr int log_lines_per_second_max = 10;

}  // namespace limits

// The limits that an operator may change.
struct Limits {
  // Connections open at once; for further ones idle ones are closed, or they are closed themselves.
  int connections_max = 10'000;  // --max-connections
  // Bytes of one request; a longer one ends its call with RESOURCE_EXHAUSTED. A valid one has
  // less than 150 bytes.
  int message_bytes_max = 64 * 1024;  // --max-message-bytes
  // Unread bytes of all connections together. gRPC reads a whole message before it checks its
  // length; above this limit it closes connections without a call, and then cancels the streams
  // that hold most. What it counts for the connections themselves comes on top: memory_quota().
  int memory_bytes_max = 64 * 1024 * 1024;  // --max-memory-bytes
  // Bytes of all headers of one call; with more, the call ends with RESOURCE_EXHAUSTED, and gRPC
  // may close its connection.
  int metadata_bytes_max = 8 * 1024;  // --max-metadata-bytes
  // Calls open at once on one connection; a client's HTTP/2 stack queues further calls.
  int streams_max = 100;  // --max-streams
  // Calls open at once on all connections, each counted by its weight (boundary/call_pool.hpp). A
  // connection that opens more than its share of what is left is closed. 0: see open_calls_max().
  int calls_max = 0;  // --max-calls
  // Whether a connection is closed that exceeds a budget of boundary/frame_ledger.hpp.
  bool has_flood_guard = true;   // --flood-guard
  bool coalesces_writes = true;  // --coalesce-writes
  // --busy-poll: how long a serving thread polls before it sleeps (boundary/busy_poll.hpp); 0: not
  // at all.
  std::chrono::microseconds busy_poll{50};
  tls::Files tls;              // --tls-cert, --tls-key, --tls-ca
  bool has_reflection = true;  // --reflection
  // Events that wait for a Duel stream whose peer does not read, at one more of which the stream
  // ends with CANCELLED; and observations that wait for a Watch stream, at one more of which it
  // ends with RESOURCE_EXHAUSTED (rps_streams_cut_total). At least 2, because the round that
  // decides a duel is two events. Replies and what gRPC is writing do not count.
  int events_waiting_max = 256;  // --max-waiting-events

  chain::ChainSettings chain;
  rest::Settings rest;

  std::chrono::milliseconds handshake_max{10'000};  // --handshake-timeout: from the accept.
  // --give-way-after: a connection that has no call open and had none for so long, or never one,
  // gives way to a new one when --max-connections are open.
  std::chrono::milliseconds in_use_max{1'000};
  // --idle-timeout: a connection without any call is ended. The flood guard does so without loss
  // (boundary/open_connections.hpp); without it gRPC does, which costs each call 4 % more CPU time.
  std::chrono::milliseconds idle_max{300'000};
  // --max-connection-age: after this time, a tenth more or less by chance, a connection's peer is
  // told to go (GOAWAY), so that it connects anew, perhaps to another server. Calls that are open
  // then have --connection-age-grace to end before the connection is closed. 0: no limit of age.
  std::chrono::milliseconds connection_age_max{0};
  std::chrono::milliseconds connection_age_grace{60'000};
  std::chrono::milliseconds keepalive_after{60'000};  // --keepalive-after: silence, then a ping.
  std::chrono::milliseconds keepalive_answer_max{10'000};  // --keepalive-timeout: for its answer.
  // --goodbye-timeout: the time that peers have to acknowledge that the server drains (GOAWAY,
  // PING), counted from the end of the last call. Meanwhile the calls that they still open are
  // refused in good order. Then the server closes the connections; peers who did acknowledge have
  // as much time to close them first.
  std::chrono::milliseconds goodbye_max{400};
  // --min-ping-interval: a client that sends a PING sooner than this after its last one, three
  // times without an answer of the server between, is disconnected.
  std::chrono::milliseconds ping_interval_min{5'000};
};

// How many calls may be open on all connections: calls_max, or if it is 0, 1,000 and one more for
// each 32 KiB of memory_bytes_max. gRPC needs up to 17 kB for a call, and half as much again in the
// gaps of the heap; so the process stays below memory_bytes_max and 64 MiB, of which it has 18 MB
// itself and four hundred connections have 8 MB.
int open_calls_max(const Limits& limits);

// What gRPC may use when so many connections are open. Without a share for each of them, some six
// thousand connections on which nothing happens would use up the default of memory_bytes_max, and
// gRPC would close them.
std::size_t memory_quota(const Limits& limits, std::size_t connections);

// Adds the flags named above; `limits` must outlive the parsing.
void add_flags(CLI::App& app, Limits& limits);

// Sets all of them in gRPC but connections_max, calls_max, in_use_max and idle_max, which the
// listener and the flood guard enforce, events_waiting_max, which the Duel and Watch streams
// enforce, and memory_bytes_max, which follows the number of connections (memory_quota()).
void apply(const Limits& limits, grpc::ServerBuilder& builder);

}  // namespace rps::rpc
