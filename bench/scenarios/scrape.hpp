// Requests a page of a server's admin port.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/url.hpp"

namespace rps::scenarios {

// The body of `GET path`, or nothing unless a server answers with 200 within limits::scrape_max.
std::optional<std::string> http_get(const HostPort& address, std::string_view path);

// The sum of all samples of `metric` in Prometheus text, whatever their labels; 0 without any.
double metric_sum(std::string_view text, std::string_view metric);

// The value of the first sample of `metric` in Prometheus text, whatever its labels.
std::optional<double> metric_value(std::string_view text, std::string_view metric);

}  // namespace rps::scenarios
