// How a server says that this machine lacks what its flags require. Any other start that fails is
// a fault of the flags, of the server or of what it needs.
#pragma once

#include <stdexcept>

namespace rps::server {

// The exit code of a server process whose start threw Unsupported.
inline constexpr int exit_unsupported = 4;

// Thrown by what makes a server. what() names what was found to be missing, and only that.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace rps::server
