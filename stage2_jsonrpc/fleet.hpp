// The client of this stage over many servers:
//
//     jsonrpc+fleet:///etc/rps/services.json?service=rps&balance=least_request&deadline_ms=500
//
// The path is that of the file that lists the servers (core/fleet/file_registry.hpp); it is
// watched. docs/fleet.md lists what may be said in the query, with units, defaults and limits.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/client.hpp"
#include "core/fleet/fleet_client.hpp"
#include "core/url.hpp"

namespace rps::jsonrpc {

inline constexpr std::string_view fleet_scheme = "jsonrpc+fleet";

// Waits until at least one server is connected and of all the others it is known whether they can
// be, at most for options.timeout_max. Throws std::exception whose what() tells a person why not:
// the URL is wrong, there is no list, or no server of it can be reached. While the client is used
// it calls `notice` with sentences for an operator.
std::unique_ptr<fleet::FleetClient> connect_fleet(
    const Url& url, const ConnectOptions& options,
    std::function<void(const std::string& sentence)> notice);

// Throws std::invalid_argument when the URL is wrong.
void check_fleet(const Url& url);

}  // namespace rps::jsonrpc
