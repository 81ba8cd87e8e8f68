// The REST gateway: an HTTP/1.1 server on a port of its own, in the process of the gRPC server and
// in front of the same game and the same chain. One thread accepts, reads, answers and writes.
//
//   rps_rest_connections                    gauge
//   rps_rest_connections_cut_total{reason}  gave_way: idle, when the limit was reached
//   rps_rest_requests_total                 requests with an answer of Service
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "core/server/metrics.hpp"
#include "stage3_grpc/rest/limits.hpp"
#include "stage3_grpc/rest/service.hpp"

namespace spdlog {
class logger;
}

namespace rps::rpc::rest {

class Gateway {
 public:
  // Listens on settings.listen and serves. Throws std::exception with a sentence for the operator.
  // REQUIRES: settings.listen; settings, metrics, log and what `parts` refers to outlive it.
  Gateway(const Settings& settings, const Service::Parts& parts, server::Metrics& metrics,
          spdlog::logger& log);

  // Closes the port and every connection.
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // "http://127.0.0.1:8080"
  std::string url() const;

  // Closes the port. Spectators' streams end, connections without a request are closed, and calls
  // that still come are refused with `unavailable`. Does not wait.
  void stop_accepting();

  // Waits until all connections are closed, at most until `deadline`, then closes them. Returns how
  // many of these had a request that was not answered.
  std::size_t drain(Clock::time_point deadline);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rps::rpc::rest
