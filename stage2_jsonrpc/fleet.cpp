#include "stage2_jsonrpc/fleet.hpp"

#include "core/fleet/in_order_session.hpp"
#include "stage2_jsonrpc/client.hpp"

namespace rps::jsonrpc {

fleet::Wire fleet_wire() {
  return {.scheme = "jsonrpc",
          .parameters = {"codec", "framing"},
          .make_protocol = [](const Url& instance) {
            return fleet::make_in_order_protocol(make_codec(instance));
          }};
}

}  // namespace rps::jsonrpc
