// What the programs in the kernel have counted, added up over all CPUs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "stage4_ebpf/bpf/counters.h"

namespace rps::observe {

struct Reading {
  rps_counters counters{};
  // Events for which the kernel skipped a program, because it was running on the same CPU already.
  std::uint64_t missed = 0;
};

// Every counter there is.
inline constexpr std::array counter_fields{
    &rps_counters::reads,
    &rps_counters::read_bytes,
    &rps_counters::writes,
    &rps_counters::write_bytes,
    &rps_counters::retransmits,
    &rps_counters::connections_opened,
    &rps_counters::connections_closed,
    &rps_counters::listeners,
    &rps_counters::listeners_lost,
};
static_assert(offsetof(rps_counters, listeners_lost) ==
              sizeof(__u64) * (counter_fields.size() - 1));

}  // namespace rps::observe
