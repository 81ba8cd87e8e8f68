// Finds out whether gRPC's calls come to socket_calls.cpp. They would silently go past it if
// libgrpc were linked with -Bsymbolic or statically, or used other functions.
#pragma once

#include <chrono>
#include <functional>

#include "core/net/fd.hpp"

namespace rps::rpc::boundary {

// Makes a connection within the process, which `take` hands to gRPC as it hands the others, says
// what a client says first, and closes it. True when gRPC has read, written and closed its end
// through a filter, within `patience`. It usually takes a millisecond.
bool is_in_place(const std::function<void(net::Fd connection)>& take,
                 std::chrono::milliseconds patience);

}  // namespace rps::rpc::boundary
