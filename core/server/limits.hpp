// The limits of the flags and the admin port, which every server process has.
#pragma once

#include <chrono>
#include <cstddef>

namespace rps::server::limits {

// --threads: serving threads.
inline constexpr unsigned threads_max = 256;

// --session-idle, --duel-idle: from a second to thirty days.
inline constexpr std::chrono::seconds idle_min{1};
inline constexpr std::chrono::seconds idle_max{30 * 24 * 3600};

// --drain: how long a server waits for its last calls; ten minutes at most.
inline constexpr std::chrono::milliseconds drain_max{600'000};

// A server that asks itself whether it answers waits so long.
inline constexpr std::chrono::milliseconds self_probe_max{1000};

// How often idle sessions and duels are given back, and how soon a change of the file is read.
inline constexpr std::chrono::seconds sweep_period{1};

// --config: bytes of the file, and how often it is read for changes that the kernel does not
// report.
inline constexpr std::size_t config_bytes_max = std::size_t{1} << 20;
inline constexpr std::chrono::seconds config_look_period{5};

// Descriptors that a process needs besides its connections: log, admin port, a library's own.
inline constexpr std::size_t other_descriptors = 64;

// The log. A line has at most so many bytes; of lines that stderr does not take at once so many
// bytes are kept.
inline constexpr std::size_t log_line_bytes_max = 4'096;
inline constexpr std::size_t log_kept_bytes_max = std::size_t{32} << 10;

// BulkLog: how long a line waits at most until it is written, and how many bytes of lines are
// written sooner; how many bytes may wait for a reader who is slow; how long the end of the drain
// waits for that reader.
inline constexpr std::chrono::milliseconds bulk_log_wait_max{50};
inline constexpr std::size_t bulk_log_write_bytes = std::size_t{32} << 10;
inline constexpr std::size_t bulk_log_waiting_bytes_max = std::size_t{4} << 20;
inline constexpr std::chrono::milliseconds bulk_log_end_max{500};

// How long accepting pauses when the process is out of descriptors or memory.
inline constexpr std::chrono::milliseconds accept_backoff{100};

// The admin port. What is above a limit is answered with 431 or 413, or closed; for a connection
// too many, the one that was answered the longest time ago is closed.
inline constexpr std::size_t admin_connections_max = 64;
inline constexpr std::size_t admin_header_bytes_max = 8'192;  // Request line and fields.
inline constexpr std::size_t admin_body_bytes_max = 4'096;
inline constexpr std::chrono::seconds admin_idle_max{60};  // Between two requests.
// From a request's first byte to its last answered; a second more for each 1,024 bytes of it.
inline constexpr std::chrono::seconds admin_request_max{10};
inline constexpr std::size_t admin_request_bytes_per_second_min = 1024;

// After an error the client may still be sending; closing at once would reset the connection and
// destroy the answer on its way. So the server first reads and discards up to this many bytes.
inline constexpr std::size_t admin_linger_bytes_max = 65'536;
inline constexpr std::chrono::seconds admin_linger_max{2};

}  // namespace rps::server::limits
