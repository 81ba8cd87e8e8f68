// What every caller of etcd needs: where a service's instances stand, and a channel.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

namespace rps::etcd {

// The keys of a service begin so: "<prefix>/<service>/"; an instance's key appends its host:port.
std::string keys_of(std::string_view prefix, std::string_view service);

// The first key behind all keys that begin with `start`, as etcd's range_end: `start` with its last
// byte one higher. `start` ends with "/".
std::string end_of(std::string start);

// A channel without TLS to `address`, "host:port". It shares no connection with other channels, and
// connects again at most a second after etcd is back.
std::shared_ptr<grpc::Channel> connect(const std::string& address);

// Fails the call at limits::call_timeout from now.
void limit_time(grpc::ClientContext& context);

}  // namespace rps::etcd
