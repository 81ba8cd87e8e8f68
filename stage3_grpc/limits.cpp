#include "stage3_grpc/limits.hpp"

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

#include "core/flags/group.hpp"

namespace rps::rpc {

namespace {

int count(std::chrono::milliseconds time) {
  return static_cast<int>(time.count());
}

}  // namespace

int open_calls_max(const Limits& limits) {
  return limits.calls_max > 0 ? limits.calls_max : 1'000 + limits.memory_bytes_max / (32 * 1024);
}

namespace {

std::string refuse_empty(const std::string& text) {
  return text.empty() ? "needs a path" : "";
}

void add_tls_flags(CLI::App& app, tls::Files& files) {
  flags::Group tls(app, "TLS");
  CLI::Option& certificate =
      tls.add_text("--tls-cert", files.certificate, "FILE",
                   "The server's certificate, and those up to its authority, in PEM; with it every "
                   "connection must use TLS");
  CLI::Option& key = tls.add_text("--tls-key", files.key, "FILE", "The certificate's private key");
  CLI::Option& ca = tls.add_text("--tls-ca", files.ca, "FILE",
                                 "Certificates of authorities, in PEM; with it every client needs "
                                 "a certificate from one of them");
  for (CLI::Option* const option : {&certificate, &key, &ca}) option->check(refuse_empty);
  certificate.needs(&key);
  key.needs(&certificate);
  ca.needs(&certificate);
}

}  // namespace

void add_flags(CLI::App& app, Limits& limits) {
  using namespace std::chrono_literals;
  constexpr std::uint64_t mebibyte = 1 << 20;
  constexpr DurationRange time{.min = 1ms, .max = 24h, .bare = 1ms};

  flags::Group maxima(app, "Limits");
  maxima.reloadable().add_count("--max-connections", limits.connections_max,
                                {.min = 1, .max = 1'000'000}, "Connections open at once");
  maxima.add_size(
      "--max-message-bytes", limits.message_bytes_max, {.min = 1, .max = 16 * mebibyte},
      "Bytes of one request message; a longer one ends its call with RESOURCE_EXHAUSTED");
  maxima.add_size(
      "--max-memory-bytes", limits.memory_bytes_max, {.min = 1, .max = 1024 * mebibyte},
      "Unread bytes of all connections together; above it gRPC closes connections without a "
      "call, then ends the streams that hold most");
  maxima.add_size(
      "--max-metadata-bytes", limits.metadata_bytes_max, {.min = 1, .max = mebibyte},
      "Bytes of all headers of one call; with more the call ends with RESOURCE_EXHAUSTED");
  maxima.add_count("--max-streams", limits.streams_max, {.min = 1, .max = 100'000},
                   "Calls open at once on one connection");
  maxima.reloadable().add_count(
      "--max-calls", limits.calls_max, {.min = 0, .max = 1'000'000},
      "Calls open at once on all connections; a call with long headers counts more; 0: 1,000 and "
      "one more for each 32KiB of --max-memory-bytes; no limit with --flood-guard=off");
  maxima.add_choice(
      "--flood-guard", limits.has_flood_guard, {{"on", true}, {"off", false}},
      "Whether connections are closed that flood the server with HTTP/2 frames or hold more "
      "calls open than their share");
  maxima.reloadable().add_count(
      "--max-waiting-events", limits.events_waiting_max, {.min = 2, .max = 65'536},
      "Events that may wait for the client of one Duel or Watch stream to read them; one more "
      "ends the stream");

  chain::add_flags(app, limits.chain);
  rest::add_flags(app, limits.rest);

  flags::Group sockets(app, "Sockets");
  sockets.add_choice(
      "--coalesce-writes", limits.coalesces_writes, {{"on", true}, {"off", false}},
      "Whether replies of one connection that are ready together are sent with one system call");
  sockets.add_duration("--busy-poll", limits.busy_poll, {.min = 0us, .max = 1ms},
                       "How long a serving thread looks for the next call before it sleeps, while "
                       "calls come that soon; 0s: it sleeps at once");

  add_tls_flags(app, limits.tls);

  flags::Group services(app, "Services");
  services.add_choice("--reflection", limits.has_reflection, {{"on", true}, {"off", false}},
                      "Whether the server offers reflection (grpc.reflection.v1 and v1alpha)");

  flags::Group timeouts(app, "Timeouts");
  timeouts.add_duration(
      "--handshake-timeout", limits.handshake_max, time,
      "Time for the handshakes of a new connection, TLS and HTTP/2; then it is closed");
  timeouts.reloadable().add_duration(
      "--give-way-after", limits.in_use_max, time,
      "Time without a call after which a connection may be closed to make room for a new one, when "
      "--max-connections are open");
  timeouts.add_duration("--idle-timeout", limits.idle_max, time,
                        "Time without a call after which the client is told to close the "
                        "connection (GOAWAY); one that stays is closed");
  timeouts.add_duration(
      "--max-connection-age", limits.connection_age_max, {.min = 0ms, .max = 24h, .bare = 1ms},
      "Age of a connection at which its client is told to connect anew (GOAWAY); 0s: never");
  timeouts.add_duration(
      "--connection-age-grace", limits.connection_age_grace, time,
      "Time after --max-connection-age until the connection is closed although it has calls open");
  timeouts.add_duration("--keepalive-after", limits.keepalive_after, time,
                        "Time of silence on a connection after which the server sends a PING");
  timeouts.add_duration(
      "--keepalive-timeout", limits.keepalive_answer_max, time,
      "Time for the client to acknowledge this PING; then the connection is closed");
  timeouts.add_duration("--goodbye-timeout", limits.goodbye_max, time,
                        "Time for clients to acknowledge the GOAWAY of a drain, from the end of "
                        "the last call; then their connections are closed");
  timeouts.add_duration("--min-ping-interval", limits.ping_interval_min, time,
                        "Least time between two PINGs of a client; the third that comes too early "
                        "disconnects it (each response sets the count to zero)");
}

std::size_t memory_quota(const Limits& limits, std::size_t connections) {
  return static_cast<std::size_t>(limits.memory_bytes_max) +
         connections * limits::connection_memory_bytes;
}

void apply(const Limits& limits, grpc::ServerBuilder& builder) {
  // gRPC inflates a message before it looks at its length.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.AddChannelArgument(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, limits::read_bytes_max);
  builder.SetMaxReceiveMessageSize(limits.message_bytes_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, limits.metadata_bytes_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.streams_max);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, count(limits.handshake_max));
  if (!limits.has_flood_guard) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, count(limits.idle_max));
  }
  if (limits.connection_age_max.count() > 0) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, count(limits.connection_age_max));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                               count(limits.connection_age_grace));
  }
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, count(limits.keepalive_after));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, count(limits.keepalive_answer_max));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             count(limits.ping_interval_min));
}

}  // namespace rps::rpc
