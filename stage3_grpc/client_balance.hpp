// What makes one gRPC channel of several addresses: gRPC's own balancing and retries.
//
// The channel has a connection to each address, and its calls take the connected ones in turns
// (round_robin). A Play or Score that fails with UNAVAILABLE is tried again by gRPC. Names of the
// service config's members: gRPC's service_config.proto; retries: gRFC A6.
#pragma once

#include <string>
#include <vector>

#include <grpcpp/support/channel_arguments.h>

#include "core/url.hpp"

namespace rps::rpc {

// The target of a channel to all `addresses`, as in "ipv4:127.0.0.1:1,127.0.0.1:2". Names are
// looked up here, which may take seconds, and never again; each address of a name becomes one of
// the channel's. When both families occur, IPv4 addresses are written as IPv6 ones (RFC 4291,
// section 2.5.5.2), because a target has one family. Throws std::runtime_error when a name has no
// address.
std::string find_target(const std::vector<HostPort>& addresses);

// Sets the service config, and how soon a lost connection is opened again.
void balance(grpc::ChannelArguments& arguments);

}  // namespace rps::rpc
