// The figures of the etcd client.
#pragma once

#include <chrono>
#include <cstddef>

namespace rps::etcd::limits {

// For one call to etcd, connecting included; a watch has no such limit.
inline constexpr std::chrono::milliseconds call_timeout{3000};

// An attempt to connect. A call waits `connect_wait` at most for a channel whose attempts have
// failed, and looks each `connect_look_period` whether it is to end.
inline constexpr std::chrono::milliseconds connect_max{5000};
inline constexpr std::chrono::milliseconds connect_wait{1000};
inline constexpr std::chrono::milliseconds connect_look_period{100};

// From the end of a watch, or of a read that failed, to the next read.
inline constexpr std::chrono::milliseconds read_again_after{200};

// HTTP/2 pings show a watch that etcd is gone when its host says nothing. etcd closes connections
// that ping more often than every 5 s.
inline constexpr std::chrono::milliseconds ping_period{10'000};
inline constexpr std::chrono::milliseconds ping_timeout{3000};

// A certificate, a key or a password.
inline constexpr std::size_t file_bytes_max = std::size_t{64} << 10;

// etcd removes a server that has not renewed its lease for so long. Renewed each third; a
// registration that failed is tried again after `try_again_after`.
inline constexpr std::chrono::seconds lease{10};
inline constexpr std::chrono::milliseconds try_again_after{1000};

// A registered server is asked so often whether it answers. After so many failures in a row it is
// taken off the list until it answers again.
inline constexpr std::chrono::milliseconds probe_period{2000};
inline constexpr int probe_failures_max = 3;

// A server that ends waits so long for etcd to take it off the list.
inline constexpr std::chrono::milliseconds withdraw_max{1000};

}  // namespace rps::etcd::limits
