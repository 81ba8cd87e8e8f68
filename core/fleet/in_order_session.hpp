// The sessions of a wire whose peer answers in the order of the requests, such as JSON-RPC here: a
// net::WireCodec makes and reads its bytes.
#pragma once

#include <memory>

#include "core/fleet/session.hpp"
#include "core/net/wire_codec.hpp"

namespace rps::fleet {

// One codec serves all connections to the instance.
std::unique_ptr<Protocol> make_in_order_protocol(std::unique_ptr<net::WireCodec> codec);

}  // namespace rps::fleet
