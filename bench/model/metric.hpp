// The metrics of a trial: the name and unit of each, and whether more or less is better.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rps::model {

enum class Metric : std::uint8_t {
  qps,  // Good answers a second; rounds a second where a call has many.

  // Times, ns. Of responses, if nothing else is said.
  mean,
  p50,
  p90,
  p99,
  p999,
  max,
  service_p99,   // From sent to received.
  lateness_p99,  // From due to sent.

  // Processor time per call: of the server, and of the load.
  cpu_us,  // User and system.
  cpu_user_us,
  cpu_system_us,
  load_user_us,
  load_system_us,
  qps_per_cpu_second,  // Rounds for a second of the server's processor time.

  // Shares of one CPU.
  server_cpu,
  load_cpu,
  other_cpu,
  stolen,

  // Per call.
  switches,  // Of the server's threads.
  syscalls,  // Of the server.
  bytes_sent,
  bytes_received,

  // Of the server.
  rss_peak,
  threads,

  offered,        // Rounds a second that were due, of an open loop.
  dropped_share,  // Of the calls that were due, of an open loop.
  error_share,    // Calls without a right answer, of all.
  calls,          // That were due in the window …
  failed_calls,   // … and those of them without a right answer.

  // When a server was killed or frozen, as FaultEffect says it, ns.
  longest_gap,
  recovery,
  rejoin,

  // Of an rps-micro benchmark.
  micro_ns,
  micro_bytes,
  micro_allocations,
};

enum class Unit : std::uint8_t { per_second, nanoseconds, microseconds, bytes, share, count };

enum class Better : std::uint8_t { higher, lower, neither };

struct MetricInfo {
  Metric metric = Metric::qps;
  std::string_view key;     // In thresholds: "p99".
  std::string_view column;  // In files, with its unit: "p99_ns".
  Unit unit = Unit::count;
  Better better = Better::neither;
};

// In the order of the enumeration.
inline constexpr std::array<MetricInfo, 36> all_metrics{{
    {Metric::qps, "qps", "qps", Unit::per_second, Better::higher},
    {Metric::mean, "mean", "mean_ns", Unit::nanoseconds, Better::lower},
    {Metric::p50, "p50", "p50_ns", Unit::nanoseconds, Better::lower},
    {Metric::p90, "p90", "p90_ns", Unit::nanoseconds, Better::lower},
    {Metric::p99, "p99", "p99_ns", Unit::nanoseconds, Better::lower},
    {Metric::p999, "p999", "p999_ns", Unit::nanoseconds, Better::lower},
    {Metric::max, "max", "max_ns", Unit::nanoseconds, Better::lower},
    {Metric::service_p99, "service_p99", "service_p99_ns", Unit::nanoseconds, Better::lower},
    {Metric::lateness_p99, "lateness_p99", "lateness_p99_ns", Unit::nanoseconds, Better::lower},
    {Metric::cpu_us, "cpu_us", "cpu_us", Unit::microseconds, Better::lower},
    {Metric::cpu_user_us, "cpu_user_us", "cpu_user_us", Unit::microseconds, Better::lower},
    {Metric::cpu_system_us, "cpu_system_us", "cpu_system_us", Unit::microseconds, Better::lower},
    {Metric::load_user_us, "load_user_us", "load_user_us", Unit::microseconds, Better::neither},
    {Metric::load_system_us, "load_system_us", "load_system_us", Unit::microseconds,
     Better::neither},
    {Metric::qps_per_cpu_second, "qps_per_cpu_second", "qps_per_cpu_second", Unit::per_second,
     Better::higher},
    {Metric::server_cpu, "server_cpu", "server_cpu_share", Unit::share, Better::neither},
    {Metric::load_cpu, "load_cpu", "load_cpu_share", Unit::share, Better::neither},
    {Metric::other_cpu, "other_cpu", "other_cpu_share", Unit::share, Better::lower},
    {Metric::stolen, "stolen", "stolen_share", Unit::share, Better::lower},
    {Metric::switches, "switches", "switches_per_call", Unit::count, Better::lower},
    {Metric::syscalls, "syscalls", "syscalls_per_call", Unit::count, Better::lower},
    {Metric::bytes_sent, "bytes_sent", "bytes_sent_per_call", Unit::bytes, Better::lower},
    {Metric::bytes_received, "bytes_received", "bytes_received_per_call", Unit::bytes,
     Better::lower},
    {Metric::rss_peak, "rss_peak", "rss_peak_bytes", Unit::bytes, Better::lower},
    {Metric::threads, "threads", "threads", Unit::count, Better::neither},
    {Metric::offered, "offered", "offered_per_second", Unit::per_second, Better::neither},
    {Metric::dropped_share, "dropped", "dropped_share", Unit::share, Better::lower},
    {Metric::error_share, "errors", "error_share", Unit::share, Better::lower},
    {Metric::calls, "calls", "calls", Unit::count, Better::neither},
    {Metric::failed_calls, "failed", "failed_calls", Unit::count, Better::lower},
    {Metric::longest_gap, "longest_gap", "longest_gap_ns", Unit::nanoseconds, Better::lower},
    {Metric::recovery, "recovery", "recovery_ns", Unit::nanoseconds, Better::lower},
    {Metric::rejoin, "rejoin", "rejoin_ns", Unit::nanoseconds, Better::lower},
    {Metric::micro_ns, "micro_ns", "micro_ns", Unit::nanoseconds, Better::lower},
    {Metric::micro_bytes, "micro_bytes", "micro_bytes", Unit::bytes, Better::lower},
    {Metric::micro_allocations, "micro_allocations", "micro_allocations", Unit::count,
     Better::lower},
}};

constexpr const MetricInfo& info(Metric metric) {
  return all_metrics[static_cast<std::size_t>(metric)];
}

// By its key or its column.
std::optional<Metric> parse_metric(std::string_view name);

// "131 µs", "24.5k", "12 %", "1.2 MB": with the unit, as people read it.
std::string format_metric(Metric metric, double value);

}  // namespace rps::model
