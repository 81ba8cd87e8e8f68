// The name of a service, as a URL gives it.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "core/id.hpp"

namespace rps::fleet {

// The name. Throws std::invalid_argument when it is none.
inline std::string read_service(std::string_view text) {
  if (is_id(text)) return std::string(text);
  throw std::invalid_argument("a service's name is 1 to 64 visible ASCII characters");
}

}  // namespace rps::fleet
