// The counters of a server, and their text for Prometheus.
//
// Every request updates counters, so threads do not share them: each of the first 63 threads that
// count has its own cell of counters, on its own cache lines, and updates it with plain loads and
// stores. All further threads share one more cell and add to it atomically. A scrape reads all
// cells and adds them up.
//
//   rps_build_info{version,compiler}                  always 1
//   rps_requests_total{operation,error_class}         error_class is "ok" or the Error's name;
//                                                     operation is "unknown" when not readable
//   rps_request_duration_seconds{operation}           histogram, see below
//   rps_requests_in_flight, rps_connections           gauges
//   rps_connections_total
//   rps_connections_refused_total{reason}             reason: Refusal
//   rps_sessions, rps_sessions_{created,evicted,expired}_total
//   rps_duels, rps_duels_{created,evicted,expired}_total
//   rps_spectators
//
// A request's duration is the time from when a serving thread begins to decode the request's bytes,
// all of which have arrived, until the encoded reply is handed over to be sent: to the socket in
// stage 2, to gRPC in stage 3. Time in the network, in the kernel's queues and in a library is not
// in it. Replies that are handed over together, as to a pipeline or a batch, have all taken from
// the beginning of the first request to that moment.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
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

// Why a connection was closed unserved.
enum class Refusal : std::uint8_t {
  limit,      // So many are open as may be.
  resources,  // The process has no descriptor or no memory left for it.
};
inline constexpr std::array all_refusals{Refusal::limit, Refusal::resources};

// Every function may be called from any thread.
class Metrics {
 public:
  // REQUIRES: the game outlives the metrics.
  explicit Metrics(const Game& game);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  // `count` requests came to the same `error`, or none, each in the time `took`: the duration that
  // is defined above. `operation` is empty for a request that could not even be read.
  void answered(std::optional<Operation> operation, std::optional<Error> error,
                Clock::duration took, std::uint64_t count = 1);

  // The requests that were answered so far.
  struct Answered {
    std::uint64_t all = 0;
    std::uint64_t unavailable = 0;  // Of them with the error `unavailable`.
  };
  Answered answered_so_far() const;

  void call_began();                        // In flight +1 …
  void call_ended(std::int64_t count = 1);  // … and -1 for each.

  void connection_opened();
  void connection_closed();
  void connection_refused(Refusal why);

  // For a server whose connections may be closed after it, and which so never calls
  // connection_closed(): from now on rps_connections is what `open` returns at the scrape; when it
  // returns nothing, the scrape has no rps_connections. It is called on the admin port's thread,
  // also while the server starts and stops, so it must own what it reads. Call once.
  void count_open_connections(std::function<std::optional<std::size_t>()> open);

  // Adds a source of further metrics to each scrape from now on. The admin port's thread reads the
  // source, also while the server starts and stops, so the source must own what it reads.
  void add(std::shared_ptr<prometheus::Collectable> source);

  // Everything in the Prometheus text format 0.0.4.
  std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rps::server
