// What a grpc or grpcs URL asks for, and the channels that follow from it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>

#include "core/url.hpp"

namespace rps::rpc {

// How plays are called.
enum class PlayMode : std::uint8_t {
  unary,  // A Play call each.
  rally,  // All on one Rally stream per connection.
  many,   // A PlayMany call of `rounds` requests each.
  watch,  // A round of a duel each, which a spectator sees.
};

struct ClientSettings {
  std::string target;               // As gRPC reads it.
  std::vector<HostPort> addresses;  // Of a list; empty: the URL has one address.
  PlayMode mode = PlayMode::unary;
  std::uint32_t rounds = 16;                   // Of one PlayMany call.
  std::chrono::milliseconds deadline{10'000};  // Zero: none.
  bool sends_again = false;  // Once, calls that the server has certainly not processed.
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  std::string checked_name;  // Stands in the server's certificate; empty: the target's host.
};

// Reads the files that the URL names. Throws std::runtime_error for what it does not understand or
// cannot read.
ClientSettings read_settings(const Url& url);

// Looks up the names of a list, for `target`. Does nothing with one address, whose name gRPC looks
// up itself. Throws std::runtime_error when a name has no address.
void find_addresses(ClientSettings& settings);

// A channel with a TCP connection of its own to each address. It is not connected yet.
std::shared_ptr<grpc::Channel> open_channel(const ClientSettings& settings);

}  // namespace rps::rpc
