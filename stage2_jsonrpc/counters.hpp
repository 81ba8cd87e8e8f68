// What this stage counts beside what every server counts (core/server/metrics.hpp).
//
//   rps_connections_cut_total{reason}    connections that the server closed, see Cut
//   rps_calls_refused_total{reason}      calls answered with -32000, see Shed
//   rps_reads_paused_total               times the server stopped reading a connection because its
//                                        peer did not read the replies
//   rps_trace_lines_dropped_total        sampled calls that were not logged because of their number
//   rps_worker_connections{worker}       connections of each serving thread
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Registry;
}  // namespace prometheus

namespace rps::jsonrpc {

enum class Cut : std::uint8_t {
  first_frame,  // No whole message within first_message_max of connecting.
  slow_frame,   // A message that took longer than message_max to arrive.
  write_stall,  // The peer read nothing for write_stall_max.
  idle,         // Nothing to do for idle_max.
  events,       // More than events_waiting_max events waited for it.
  gave_way,     // It was idle, and a new connection took its place, see eviction_order.hpp.
};

inline constexpr std::array<Cut, 6> all_cuts{Cut::first_frame, Cut::slow_frame, Cut::write_stall,
                                             Cut::idle,        Cut::events,     Cut::gave_way};

constexpr std::string_view to_string(Cut cut) {
  switch (cut) {
    case Cut::first_frame: return "first_frame";
    case Cut::slow_frame: return "slow_frame";
    case Cut::write_stall: return "write_stall";
    case Cut::idle: return "idle";
    case Cut::events: return "events";
    case Cut::gave_way: return "gave_way";
  }
  return "idle";
}

// Why the server refused a call with which nothing was wrong.
enum class Shed : std::uint8_t {
  rate,      // Its peer has made more calls than it may.
  overload,  // The thread has more work than it can do, see overload.hpp.
};

// Every function may be called from any thread.
class Counters {
 public:
  explicit Counters(std::size_t workers);

  void count(Cut cut);
  void count(Shed shed);
  std::uint64_t counted(Cut cut) const;
  void count_read_paused();
  void count_trace_line_dropped();
  void set_worker_connections(std::size_t worker, std::size_t connections);

  std::shared_ptr<prometheus::Registry> registry() const { return registry_; }

 private:
  // Owns the counters and gauges that the other members point to.
  std::shared_ptr<prometheus::Registry> registry_;
  std::array<prometheus::Counter*, all_cuts.size()> cuts_{};
  std::array<prometheus::Counter*, 2> sheds_{};
  prometheus::Counter* reads_paused_;
  prometheus::Counter* trace_lines_dropped_;
  std::vector<prometheus::Gauge*> worker_connections_;
};

}  // namespace rps::jsonrpc
