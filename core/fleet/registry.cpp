#include "core/fleet/registry.hpp"

#include "core/url.hpp"

namespace rps::fleet {

bool is_instance_url(std::string_view text) {
  const auto url = parse_url(text);
  return url && !url->host.empty() && url->port != 0 && url->more.empty();
}

}  // namespace rps::fleet
