// gRPC's unary calls as the session of a fleet: many calls share one HTTP/2 connection, and are
// answered in any order.
//
// GOAWAY is the farewell of the peer: the calls that it leaves out were not processed, the others
// end in their time (RFC 9113, section 6.8). Nor was a call processed whose stream the peer closes
// with REFUSED_STREAM (section 8.7). Any other call that ends without an answer is lost. cancel()
// sends RST_STREAM with CANCEL, and no late answer comes.
//
// play and score are unary calls. join, throw, leave and watch need streaming calls, so they are
// answered with Error::unknown_operation.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "core/fleet/connect.hpp"
#include "core/fleet/session.hpp"
#include "core/url.hpp"

namespace rps::rpc {

// For core/fleet/connect.hpp: instances of scheme grpc. With `token` each call says who calls.
fleet::Wire fleet_wire();

// Calls open on one connection; the peer's SETTINGS may allow fewer. Further ones wait.
inline constexpr std::size_t session_calls_max = 100;

// The protocol of the instance at `authority`. Calls carry `token` unless it is empty (RFC 6750,
// section 2.1).
std::unique_ptr<fleet::Protocol> make_session_protocol(const HostPort& authority,
                                                       const std::string& token = {});

}  // namespace rps::rpc
