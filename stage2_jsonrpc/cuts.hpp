// Why the server ended a connection on its own, counted for /metrics as
// rps_connections_cut_total{reason}.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace prometheus {
class Counter;
class Registry;
}  // namespace prometheus

namespace rps::jsonrpc {

enum class Cut : std::uint8_t {
  first_frame,  // No whole frame within first_frame_max of connecting.
  slow_frame,   // A frame that took longer than frame_max to arrive.
  write_stall,  // The peer read nothing for write_stall_max.
  idle,         // Nothing to do for idle_max.
  events,       // More than events_waiting_max events waited for it.
};

inline constexpr std::array<Cut, 5> all_cuts{Cut::first_frame, Cut::slow_frame, Cut::write_stall,
                                             Cut::idle, Cut::events};

constexpr std::string_view to_string(Cut cut) {
  switch (cut) {
    case Cut::first_frame: return "first_frame";
    case Cut::slow_frame: return "slow_frame";
    case Cut::write_stall: return "write_stall";
    case Cut::idle: return "idle";
    case Cut::events: return "events";
  }
  return "idle";
}

class CutCounters {
 public:
  CutCounters();
  void count(Cut cut);  // Safe from any thread.
  std::shared_ptr<prometheus::Registry> registry() const { return registry_; }

 private:
  std::shared_ptr<prometheus::Registry> registry_;
  std::array<prometheus::Counter*, all_cuts.size()> counters_{};  // Owned by the registry.
};

}  // namespace rps::jsonrpc
