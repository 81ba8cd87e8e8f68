// The figures of the fleet client: what each is when nobody says otherwise, and what it may be.
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

// Retries in percent of the calls; `retry_percent`. On top of it so many a second, so that a quiet
// client may retry as well; and what calls that went well have earned is kept up to a bound.
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
// has just been used will be used again, and closing it would only mean to dial anew.
inline constexpr std::size_t idle_connections_default = 20;
inline constexpr std::size_t idle_connections_max = 10'000;
inline constexpr std::chrono::milliseconds idle_time_default{30'000};
inline constexpr std::chrono::milliseconds idle_surplus_default{1000};
inline constexpr std::chrono::milliseconds probe_period_default{60'000};
inline constexpr std::chrono::milliseconds pool_time_max{3'600'000};

// How long connecting may take; `connect_ms`.
inline constexpr std::chrono::milliseconds connect_default{1000};
inline constexpr std::chrono::milliseconds connect_max{60'000};

// A connection that owes an answer and brings nothing for so long is given up; `silence_ms`.
inline constexpr std::chrono::milliseconds silence_default{5000};
inline constexpr std::chrono::milliseconds silence_max{600'000};

// The registry: instances of one service, the size of a file, and how often the file is read
// although nobody said that it had changed; `reread_ms`.
inline constexpr std::size_t instances_max = 1000;
inline constexpr std::size_t registry_file_bytes_max = std::size_t{1} << 20;
inline constexpr std::chrono::milliseconds reread_default{5000};
inline constexpr std::chrono::milliseconds reread_max{3'600'000};

// How exactly the client keeps all times but deadlines and retries: it looks this often.
inline constexpr std::chrono::milliseconds sweep_period{20};

}  // namespace rps::fleet::limits
