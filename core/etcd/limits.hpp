// The figures of the etcd client.
#pragma once

#include <chrono>
#include <cstddef>

namespace rps::etcd::limits {

// For one call to etcd, connecting included; a watch has no such limit.
inline constexpr std::chrono::milliseconds call_timeout{3000};

// From the end of a watch, or of a read that failed, to the next read.
inline constexpr std::chrono::milliseconds read_again_after{200};

// HTTP/2 pings show a watch that etcd is gone when its host says nothing. etcd closes connections
// that ping more often than every 5 s.
inline constexpr std::chrono::milliseconds ping_period{10'000};
inline constexpr std::chrono::milliseconds ping_timeout{3000};

// etcd removes an instance that has not renewed its lease for so long. Renewed each third.
inline constexpr std::chrono::seconds lease{10};

}  // namespace rps::etcd::limits
