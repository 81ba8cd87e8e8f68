// From a URL to a fleet client:
//
//     file:///etc/rps/services.json?service=rps&balance=least_request&deadline_ms=500
//
// The list of the instances comes from a source, here from a file, and is followed. The instances
// may speak any of the wires that the caller knows, each by the scheme of its own URL.
// docs/fleet.md lists what may be said in the query, with units, defaults and limits.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/client.hpp"
#include "core/fleet/fleet_client.hpp"
#include "core/fleet/registry.hpp"
#include "core/fleet/session.hpp"
#include "core/url.hpp"

namespace rps::fleet {

// A wire that instances may speak.
struct Wire {
  std::string_view scheme;                   // Of the instances' URLs.
  std::vector<std::string_view> parameters;  // Those of the fleet's URL that are about this wire.

  // The protocol of an instance at this host and port, with the parameters that the fleet's URL
  // gives in its query. Throws std::invalid_argument for a parameter's wrong value.
  std::function<std::unique_ptr<Protocol>(const Url& instance)> make_protocol;
};

// Where the list of the instances comes from.
struct Source {
  using Warn = std::function<void(const std::string& sentence)>;
  using Open = std::function<std::unique_ptr<Registry>(const std::string& service, Warn warn)>;

  std::vector<std::string_view> parameters;  // Those of the fleet's URL that are about this source.

  // What opens the list that the fleet's URL names: it throws std::exception when there is no first
  // list, and its registry tells `warn` why a list is not taken. Throws std::invalid_argument for a
  // URL that makes no sense; opens nothing.
  std::function<Open(const Url& url)> read;
};

// A file that lists the instances (file_registry.hpp), which the URL's path names.
Source file_source();

// Waits until at least one instance is connected and of all the others it is known whether they can
// be, at most for options.timeout_max. Throws std::exception whose what() tells a person why not:
// the URL is wrong, there is no list, or no instance of it can be reached. While the client is used
// it calls `notice` with sentences for an operator.
std::unique_ptr<FleetClient> connect(const Url& url, const Source& source,
                                     std::span<const Wire> wires, const ConnectOptions& options,
                                     std::function<void(const std::string& sentence)> notice);

// Throws std::invalid_argument when the URL is wrong.
void check(const Url& url, const Source& source, std::span<const Wire> wires);

}  // namespace rps::fleet
