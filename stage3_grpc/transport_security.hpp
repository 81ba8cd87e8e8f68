// TLS for the connections of a server: the certificates, who is connected, and what became of
// handshakes.
//
//   rps_tls_handshakes_total{result}    accepted, or why not: certificate, protocol, closed
//                                       (tls/filter.hpp: Failure)
//   rps_tls_broken_total                connections that violated TLS after their handshake
//   those of tls/reloader.hpp
#pragma once

#include <memory>

#include "core/clock.hpp"
#include "core/server/metrics.hpp"
#include "stage3_grpc/boundary/socket_calls.hpp"
#include "stage3_grpc/peer_table.hpp"
#include "stage3_grpc/tls/reloader.hpp"

namespace rps::rpc {

class TransportSecurity {
 public:
  // Throws std::runtime_error that says what is wrong with the files. REQUIRES: files.is_on();
  // `log` outlives it.
  TransportSecurity(const tls::Files& files, std::shared_ptr<PeerTable> peers,
                    server::Metrics& metrics, spdlog::logger& log);

  // What stands between gRPC and the socket `fd`, which has just been accepted. While its handshake
  // is complete, its peer stands in the table.
  std::unique_ptr<boundary::SocketFilter> protect(int fd);

  // See Reloader. Any thread.
  void reload() { reloader_.reload(); }

  // Writes one line about the handshakes that failed since the last call, if any did, and reads
  // certificates that have changed. To be called about once a second, by one thread at a time.
  void tick(Clock::time_point now);

 private:
  class Outcomes;

  spdlog::logger& log_;
  const std::shared_ptr<Outcomes> outcomes_;  // Connections may be closed after their server.
  tls::Reloader reloader_;
};

}  // namespace rps::rpc
