// The limits of the harness, with their units.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rps::load::limits {

// Connections of one trial: --connections.
inline constexpr std::size_t connections_max = 1024;

// Connections beside those, of each kind: --idle, --slow.
inline constexpr std::size_t bystanders_max = 10'000;

// Calls open at once on each connection of the load, and due at one instant: --depth, --burst.
inline constexpr std::size_t depth_max = 4096;
inline constexpr std::size_t burst_max = 100'000;

// Connections times depth: each slot of the loop takes a few hundred bytes.
inline constexpr std::size_t slots_max = 100'000;

// --timeout, --interval.
inline constexpr std::chrono::milliseconds timeout_min{1};
inline constexpr std::chrono::milliseconds timeout_max{3'600'000};
inline constexpr std::chrono::milliseconds interval_min{100};

// Interleaved rounds: --rounds.
inline constexpr std::size_t rounds_max = 1000;

// Measured time and warm-up of one trial: --seconds, --warmup.
inline constexpr std::chrono::milliseconds trial_min{10};
inline constexpr std::chrono::hours trial_max{24};

// From the start of a server's process to its URL line.
inline constexpr std::chrono::milliseconds start_max{10'000};

// For opening all connections of a trial.
inline constexpr std::chrono::milliseconds connect_max{10'000};

// For the calls still open when the window closes; later they count as lost.
inline constexpr std::chrono::milliseconds drain_max{3000};

// For one request of a server's /metrics.
inline constexpr std::chrono::milliseconds scrape_max{2000};
inline constexpr std::size_t scrape_bytes_max = 4'000'000;

}  // namespace rps::load::limits
