// A server asks itself over HTTP whether it answers.
#pragma once

#include <chrono>

#include "core/url.hpp"

namespace rps::server {

// Whether GET /healthz over a new connection to `address` is answered with 200 within `time_max`.
// An address that means all addresses is asked at the loopback one. Waits.
bool answers_http(const HostPort& address, std::chrono::milliseconds time_max);

}  // namespace rps::server
