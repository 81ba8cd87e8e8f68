#include "stage4_ebpf/collector.hpp"

#include <array>
#include <string>
#include <utility>

namespace rps::observe {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

struct CounterText {
  const char* name;
  const char* help;
  __u64 rps_counters::* field;
};

constexpr std::array counter_texts{
    CounterText{"rps_observer_reads_total",
                "Socket buffers that the server copied from its connections. One can carry several "
                "requests, or a part of one.",
                &rps_counters::reads},
    CounterText{"rps_observer_read_bytes_total",
                "Bytes that the server copied from its connections, protocol overhead included.",
                &rps_counters::read_bytes},
    CounterText{"rps_observer_writes_total",
                "Messages that the server handed to its connections. One can carry several "
                "responses, or none (acknowledged pings, window updates).",
                &rps_counters::writes},
    CounterText{"rps_observer_write_bytes_total",
                "Bytes that the server handed to its connections, each counted once, sent or not.",
                &rps_counters::write_bytes},
    CounterText{"rps_observer_retransmits_total",
                "Segments that the kernel sent again on the server's connections.",
                &rps_counters::retransmits},
    CounterText{"rps_observer_connections_opened_total",
                "TCP connections that completed the handshake, accepted by the server or not yet.",
                &rps_counters::connections_opened},
    CounterText{"rps_observer_connections_closed_total",
                "TCP connections, of those opened, that the kernel has closed.",
                &rps_counters::connections_closed},
    CounterText{"rps_observer_listeners_total",
                "Sockets that the server made listen and that are observed.",
                &rps_counters::listeners},
};

ClientMetric count(std::uint64_t value) {
  ClientMetric metric;
  metric.counter.value = static_cast<double>(value);
  return metric;
}

MetricFamily active(bool is_active) {
  ClientMetric metric;
  metric.gauge.value = is_active ? 1 : 0;
  return {.name = "rps_observer_active",
          .help =
              "1 while the kernel counts for this server; else there are no further "
              "rps_observer metrics.",
          .type = MetricType::Gauge,
          .metric = {metric}};
}

MetricFamily lost(const Reading& reading) {
  ClientMetric memory = count(reading.counters.listeners_lost);
  memory.label = {{.name = "reason", .value = "memory"}};
  ClientMetric recursion = count(reading.missed);
  recursion.label = {{.name = "reason", .value = "recursion"}};
  return {.name = "rps_observer_lost_total",
          .help =
              "What the other counters lack. memory: listening sockets that are not observed; "
              "recursion: events, on any socket of the host, that came while the same program "
              "ran on the same CPU.",
          .type = MetricType::Counter,
          .metric = {memory, recursion}};
}

}  // namespace

std::vector<MetricFamily> to_families(const std::optional<Reading>& reading) {
  std::vector<MetricFamily> families{active(reading.has_value())};
  if (!reading) return families;
  for (const CounterText& text : counter_texts) {
    families.push_back({.name = text.name,
                        .help = text.help,
                        .type = MetricType::Counter,
                        .metric = {count(reading->counters.*text.field)}});
  }
  families.push_back(lost(*reading));
  return families;
}

std::vector<MetricFamily> Collector::Collect() const {
  return to_families(observer_ ? std::optional(observer_->read()) : std::nullopt);
}

}  // namespace rps::observe
