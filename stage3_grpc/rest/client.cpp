#include "stage3_grpc/rest/client.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/fleet/in_order_session.hpp"
#include "core/net/stream_client.hpp"
#include "stage3_grpc/rest/client_codec.hpp"

namespace rps::rpc::rest {

namespace {

constexpr std::string_view scheme = "http+rest";

bool is_visible(char c) {
  return c > ' ' && c <= '~';
}

}  // namespace

std::unique_ptr<net::WireCodec> make_codec(const Url& url) {
  if (url.scheme != scheme) throw std::invalid_argument("not a REST URL: " + url.scheme);
  if (url.host.empty() || (!url.path.empty() && url.path != "/")) {
    throw std::invalid_argument("the URL of a REST gateway is http+rest://HOST:PORT[?token=TEXT]");
  }
  std::optional<std::string> token;
  for (const auto& [name, value] : url.query) {
    if (name != "token" || token) {
      throw std::invalid_argument("an http+rest URL takes token, once, not '" + name + "'");
    }
    if (value.empty() || !std::ranges::all_of(value, is_visible)) {
      throw std::invalid_argument("the token must be visible ASCII characters without a space");
    }
    token = value;
  }
  return std::make_unique<ClientCodec>(to_string(HostPort{.host = url.host, .port = url.port}),
                                       token.value_or(""));
}

std::unique_ptr<Client> connect(const Url& url, const ConnectOptions& options) {
  return net::connect_streams(url, options, make_codec(url));
}

fleet::Wire fleet_wire() {
  return {.scheme = scheme, .parameters = {"token"}, .make_protocol = [](const Url& instance) {
            return fleet::make_in_order_protocol(make_codec(instance));
          }};
}

}  // namespace rps::rpc::rest
