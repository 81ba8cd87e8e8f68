#include "stage2_jsonrpc/client.hpp"

#include <stdexcept>

#include "core/runtime/stream_client.hpp"
#include "stage2_jsonrpc/client_codec.hpp"

namespace rps::jsonrpc {

std::unique_ptr<Client> connect(const Url& url, const ConnectOptions& options) {
  if (url.scheme != "jsonrpc") throw std::invalid_argument("not a jsonrpc URL: " + url.scheme);
  if (url.find("codec").value_or("json") != "json") {
    throw std::invalid_argument("the only codec offered is json");
  }
  const auto open = [&] {
    return runtime::Stream{.in = runtime::connect_tcp(url.host, url.port, options.timeout_max)};
  };
  return std::make_unique<runtime::StreamClient>(std::make_unique<ClientCodec>(),
                                                 options.connections, options.depth, open);
}

}  // namespace rps::jsonrpc
