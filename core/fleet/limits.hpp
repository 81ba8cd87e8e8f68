// The figures of the fleet client: the default and the range of each.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rps::fleet::limits {

// A call is answered by then, by an instance or with deadline_exceeded; `deadline_ms`.
inline constexpr std::chrono::milliseconds deadline_default{1000};
inline constexpr std::chrono::milliseconds deadline_max{600'000};

// How often a call may be tried again; `retries`. The wait before it; `backoff_ms` is the first.
inline constexpr std::uint32_t retries_default = 3;
inline constexpr std::uint32_t retries_max = 10;
inline constexpr std::chrono::milliseconds backoff_first_default{100};
inline constexpr std::chrono::milliseconds backoff_max_default{2000};
inline constexpr std::chrono::milliseconds backoff_jitter_default{100};
inline constexpr std::uint32_t backoff_factor = 2;

// Retries in percent of the calls; `retry_percent`. A fixed number a second is added, so that a
// client with few calls may retry too. Unused retries are saved up to a bound.
inline constexpr std::uint32_t retry_percent_default = 10;
inline constexpr std::uint32_t retry_percent_max = 100;
inline constexpr double retries_per_second_floor = 10;
inline constexpr double retries_saved_max = 100;

// The breaker: `breaker_failures` within `breaker_window_ms` open it for `breaker_open_ms`.
inline constexpr std::size_t breaker_failures_default = 20;
inline constexpr std::size_t breaker_failures_max = 10'000;
inline constexpr std::chrono::milliseconds breaker_window_default{10'000};
inline constexpr std::chrono::milliseconds breaker_open_default{60'000};
inline constexpr std::chrono::milliseconds breaker_time_max{3'600'000};

// The pool: `idle_max` connections without a call, each for `idle_ms_max`, looked at every
// `probe_ms`. Those above the number go when they were idle for `surplus_ms`: a connection that
// has just been used will probably be used again, and closing it would cost another connect.
inline constexpr std::size_t idle_connections_default = 20;
inline constexpr std::size_t idle_connections_max = 10'000;
inline constexpr std::chrono::milliseconds idle_time_default{30'000};
inline constexpr std::chrono::milliseconds idle_surplus_default{1000};
inline constexpr std::chrono::milliseconds probe_period_default{60'000};
inline constexpr std::chrono::milliseconds pool_time_max{3'600'000};

// How long connecting may take, with looking up a name and all its addresses; `connect_ms`.
inline constexpr std::chrono::milliseconds connect_default{1000};
inline constexpr std::chrono::milliseconds connect_max{60'000};

// A connection that owes an answer and brings nothing for so long is given up; `silence_ms`.
inline constexpr std::chrono::milliseconds silence_default{5000};
inline constexpr std::chrono::milliseconds silence_max{600'000};

// The registry: instances of one service, the size of a file, and how often the file is read
// without a report that it changed; `reread_ms`.
inline constexpr std::size_t instances_max = 1000;
inline constexpr std::size_t registry_file_bytes_max = std::size_t{1} << 20;
inline constexpr std::chrono::milliseconds reread_default{5000};
inline constexpr std::chrono::milliseconds reread_max{3'600'000};

// How often the client checks all times except deadlines and retries, which it keeps exactly.
inline constexpr std::chrono::milliseconds sweep_period{20};

}  // namespace rps::fleet::limits
