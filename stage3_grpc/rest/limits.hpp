// The limits of the REST gateway. A request above one is answered with the status beside it, and
// its connection is closed.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "core/url.hpp"

namespace CLI {
class App;
}

namespace rps::rpc::rest {

namespace limits {

// Bytes that are read from a connection at once, and so at most answered in one turn.
inline constexpr std::size_t read_bytes_max = std::size_t{16} << 10;

// Bytes of answers that a client has not read; with more, no further request of it is answered.
inline constexpr std::size_t unsent_bytes_max = std::size_t{64} << 10;

// After an answer that ends a connection the client may still be sending; closing at once would
// reset the connection and destroy the answer on its way. So up to so many bytes are discarded.
inline constexpr std::size_t linger_bytes_max = std::size_t{64} << 10;
inline constexpr std::chrono::seconds linger_max{2};

// Objects and arrays inside each other in the JSON of a request.
inline constexpr std::size_t json_depth_max = 100;

// How often connections are looked at for time-outs.
inline constexpr std::chrono::milliseconds scan_period{100};

// How often a line without meaning is sent to a spectator who takes server-sent events, so that
// proxies keep the connection and a peer that has gone is noticed.
inline constexpr std::chrono::seconds heartbeat_period{15};

// Of all connections so many parts of 4 may belong to spectators, whose requests do not end.
inline constexpr std::size_t spectators_quarters = 3;

}  // namespace limits

// What an operator may set.
struct Settings {
  std::optional<HostPort> listen;                 // --rest; none: there is no gateway.
  int connections_max = 1'000;                    // --rest-max-connections
  std::size_t header_bytes_max = 8'192;           // --rest-max-header-bytes: 431
  std::size_t body_bytes_max = 65'536;            // --rest-max-body-bytes: 413
  std::chrono::milliseconds request_max{10'000};  // --rest-request-timeout: 408
  std::chrono::milliseconds idle_max{60'000};     // --rest-idle-timeout: between two requests.
};

// Adds the flags named above; `settings` must outlive the parsing.
void add_flags(CLI::App& app, Settings& settings);

}  // namespace rps::rpc::rest
