// The process's limit of open descriptors.
#pragma once

#include <cstddef>

namespace spdlog {
class logger;
}

namespace rps::server {

// Raises the soft limit of open descriptors, usually 1024, to what `connections_max` connections
// and the process's other files need, as far as the hard limit permits. Warns when that is not
// enough. Returns how many connections there may be.
std::size_t reserve_descriptors(std::size_t connections_max, spdlog::logger& log);

}  // namespace rps::server
