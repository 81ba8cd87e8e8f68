#include "stage3_grpc/limits.hpp"

#include <string>

#include <CLI/CLI.hpp>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

namespace rps::rpc {

namespace {

void add_count(CLI::App& app, const std::string& flag, const std::string& help, int max,
               int& count) {
  app.add_option(flag, count, help)->check(CLI::Range(1, max))->capture_default_str();
}

void add_time(CLI::App& app, const std::string& flag, const std::string& help,
              std::chrono::milliseconds& time) {
  constexpr int max = 24 * 3600 * 1000;
  app.add_option_function<int>(
         flag, [&time](int count) { time = std::chrono::milliseconds(count); }, help)
      ->check(CLI::Range(1, max))
      ->default_str(std::to_string(time.count()));
}

int count(std::chrono::milliseconds time) {
  return static_cast<int>(time.count());
}

}  // namespace

void add_flags(CLI::App& app, Limits& limits) {
  add_count(app, "--max-connections", "Connections open at once", 1'000'000,
            limits.connections_max);
  add_count(app, "--max-message-bytes", "Bytes of one request", 16 * 1024 * 1024,
            limits.message_bytes_max);
  add_count(app, "--max-memory-bytes", "Unread bytes of all connections together",
            1024 * 1024 * 1024, limits.memory_bytes_max);
  add_count(app, "--max-metadata-bytes", "Bytes of all headers of one call", 1024 * 1024,
            limits.metadata_bytes_max);
  add_count(app, "--max-streams", "Calls open at once on one connection", 100'000,
            limits.streams_max);
  add_count(app, "--max-waiting-events", "Events that wait for one Duel stream's peer to read",
            65'536, limits.events_waiting_max);
  add_time(app, "--handshake-timeout", "Milliseconds for a connection's HTTP/2 handshake",
           limits.handshake_max);
  add_time(app, "--idle-timeout", "Milliseconds after which a connection without calls is closed",
           limits.idle_max);
  add_time(app, "--keepalive-after", "Milliseconds of silence before a connection is pinged",
           limits.keepalive_after);
  add_time(app, "--keepalive-timeout", "Milliseconds that a pinged connection has to answer",
           limits.keepalive_answer_max);
}

void apply(const Limits& limits, grpc::ServerBuilder& builder) {
  builder.SetResourceQuota(
      grpc::ResourceQuota("rps").Resize(static_cast<std::size_t>(limits.memory_bytes_max)));
  builder.SetMaxReceiveMessageSize(limits.message_bytes_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, limits.metadata_bytes_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.streams_max);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, count(limits.handshake_max));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, count(limits.idle_max));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, count(limits.keepalive_after));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, count(limits.keepalive_answer_max));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             count(limits::ping_interval_min));
}

}  // namespace rps::rpc
