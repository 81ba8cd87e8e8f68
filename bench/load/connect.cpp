#include "bench/load/connect.hpp"

#include <iostream>
#include <stdexcept>
#include <string>

#include "bench/load/inproc.hpp"
#include "core/url.hpp"
#include "stage1_cli/client.hpp"
#if RPS_HAVE_STAGE2
#include "stage2_jsonrpc/client.hpp"
#include "stage2_jsonrpc/fleet.hpp"
#endif
#if RPS_HAVE_STAGE3
#include "stage3_grpc/client.hpp"
#endif

namespace rps::load {

namespace {

Connection connect_cli(const Url& url, const ConnectOptions& options) {
  auto client = cli::connect(url, options);
  std::vector<pid_t> children = client->children();
  return {.client = std::move(client), .children = std::move(children)};
}

#if RPS_HAVE_STAGE2
std::unique_ptr<Client> connect_fleet(const Url& url, const ConnectOptions& options) {
  const auto notice = [](const std::string& sentence) {
    std::cerr << "fleet: " << sentence << '\n';
  };
  return jsonrpc::connect_fleet(url, options, notice);
}
#endif

// Null for a scheme that nobody here speaks.
std::unique_ptr<Client> connect_socket(const Url& url, const ConnectOptions& options) {
#if RPS_HAVE_STAGE2
  if (url.scheme == "jsonrpc") return jsonrpc::connect(url, options);
  if (url.scheme == jsonrpc::fleet_scheme) return connect_fleet(url, options);
#endif
#if RPS_HAVE_STAGE3
  if (url.scheme == "grpc" || url.scheme == "grpcs") return rpc::connect(url, options);
#endif
  return nullptr;
}

}  // namespace

bool speaks(std::string_view scheme) {
  if (scheme == "inproc" || scheme == "cli") return true;
  if (scheme == "jsonrpc" || scheme == "jsonrpc+fleet") return RPS_HAVE_STAGE2;
  if (scheme == "grpc" || scheme == "grpcs") return RPS_HAVE_STAGE3;
  return false;
}

Connection connect(std::string_view text, const ConnectOptions& options) {
  const auto url = parse_url(text);
  if (!url) throw std::invalid_argument(url.error());
  if (url->scheme == "inproc") return {.client = connect_inproc(*url, options), .children = {}};
  if (url->scheme == "cli") return connect_cli(*url, options);
  if (auto client = connect_socket(*url, options)) {
    return {.client = std::move(client), .children = {}};
  }
  throw std::invalid_argument("this build does not speak '" + url->scheme + "'");
}

}  // namespace rps::load
