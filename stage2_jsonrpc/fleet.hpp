// The wire of this stage for a fleet of servers (core/fleet/connect.hpp). `codec` and `framing` are
// those of a jsonrpc URL.
#pragma once

#include "core/fleet/connect.hpp"

namespace rps::jsonrpc {

fleet::Wire fleet_wire();

}  // namespace rps::jsonrpc
