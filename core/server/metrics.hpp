// What a server counts, and the Prometheus text it is read as.
//
// The hot path must not meet: each thread adds to a cell of its own (relaxed, padded to cache
// lines), and only a scrape, which is rare, walks all of them and adds up.
//
//   rps_build_info{version,compiler}                  always 1
//   rps_requests_total{operation,error_class}         error_class is "ok" or the Error's name;
//                                                     operation is "unknown" when not readable
//   rps_request_duration_seconds{operation}           histogram: from decoded to answered
//   rps_requests_in_flight, rps_connections           gauges
//   rps_connections_total, rps_connections_refused_total{reason="limit"}
//   rps_sessions, rps_sessions_{created,evicted,expired}_total
//   rps_duels, rps_duels_{created,expired}_total
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/command.hpp"
#include "core/game.hpp"

namespace prometheus {
class Collectable;
}

namespace rps::server {

// Every function may be called from any thread.
class Metrics {
 public:
  // REQUIRES: the game outlives the metrics.
  explicit Metrics(const Game& game);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  // `count` calls were answered alike, each in the time `took`. `operation` is empty for a request
  // that could not even be read.
  void answered(std::optional<Operation> operation, std::optional<Error> error,
                Clock::duration took, std::uint64_t count = 1);

  void call_began();                        // In flight +1 …
  void call_ended(std::int64_t count = 1);  // … and -1 for each.

  void connection_opened();
  void connection_closed();
  void connection_refused();  // Above the limit of connections.

  // Adds a source of further metrics, scraped with the rest from now on. It is asked by the admin
  // port's thread, also while the server starts and stops, so it must own what it reads.
  void add(std::shared_ptr<prometheus::Collectable> source);

  // Everything in the Prometheus text format 0.0.4.
  std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rps::server
