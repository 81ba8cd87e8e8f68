// The process's limit of open descriptors.
#pragma once

#include <cstddef>

namespace spdlog {
class logger;
}

namespace rps::server {

// Every connection is a descriptor, and the usual soft limit of 1024 would be the real one: raises
// it to what `connections_max` and some others need, as far as the process may, and warns when that
// is not enough. Returns how many connections there may be with what it got.
std::size_t reserve_descriptors(std::size_t connections_max, spdlog::logger& log);

}  // namespace rps::server
