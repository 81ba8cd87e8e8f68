// Finds out whether gRPC's calls come to socket_calls.cpp. They would silently go past it if gRPC
// were linked as a shared library, or used other functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "core/net/fd.hpp"

namespace rps::rpc::boundary {

enum class SelfCheck : std::uint8_t {
  in_place,       // gRPC has read, written and closed its end through a filter.
  bypassed,       // It has ended the connection, and something of that went past the filter.
  not_served,     // It has not closed its end in time, so nothing is known.
  no_connection,  // The connection could not be made; errno says why.
};

// Makes a connection within the process, which `take` hands to gRPC as it hands the others, says
// what a client says first, and closes it when gRPC has answered. Waits for gRPC to close its end,
// for `patience` at most.
// It usually takes a millisecond.
SelfCheck check_boundary(const std::function<void(net::Fd connection)>& take,
                         std::chrono::milliseconds patience);

}  // namespace rps::rpc::boundary
