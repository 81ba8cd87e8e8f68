#include "bench/load/clients/connect.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "bench/load/clients/floors.hpp"
#include "bench/load/clients/inproc.hpp"
#include "bench/load/clients/spawn.hpp"
#include "core/fleet/connect.hpp"
#include "core/net/child.hpp"
#include "core/net/stream_client.hpp"
#include "core/url.hpp"
#include "stage1_cli/client.hpp"
#if RPS_HAVE_ETCD
#include "core/etcd/registry.hpp"
#endif
#if RPS_HAVE_STAGE2
#include "bench/load/clients/jsonrpc_lean.hpp"
#include "stage2_jsonrpc/client.hpp"
#include "stage2_jsonrpc/fleet.hpp"
#endif
#if RPS_HAVE_STAGE3
#include "stage3_grpc/client.hpp"
#include "stage3_grpc/rest/client.hpp"
#endif
#if RPS_HAVE_LEAN_GRPC
#include "bench/load/clients/grpc_lean_client.hpp"
#include "stage3_grpc/lean/session.hpp"
#endif

namespace rps::load {

namespace {

Connection with_children(std::unique_ptr<net::StreamClient> client) {
  std::vector<pid_t> children = client->children();
  return {.client = std::move(client), .children = std::move(children)};
}

Connection alone(std::unique_ptr<Client> client) {
  return {.client = std::move(client), .children = {}};
}

Connection open_inproc(const Url& url, const ConnectOptions& options) {
  return alone(connect_inproc(url, options));
}

// The console checks its flags itself.
void check_cli(const Url& url) {
  (void)cli::arguments_of(url);
}

Connection open_cli(const Url& url, const ConnectOptions& options) {
  return with_children(cli::connect(url, options));
}

Connection open_cli_pty(const Url& url, const ConnectOptions& options) {
  return with_children(cli::connect(url, options, net::spawn_child_on_terminal));
}

Connection open_cli_spawn(const Url& url, const ConnectOptions& options) {
  return alone(connect_cli_spawn(url, options));
}

Connection open_spawn(const Url& url, const ConnectOptions& options) {
  return alone(connect_bare_spawn(url, options));
}

Connection open_echo(const Url& url, const ConnectOptions& options) {
  return alone(connect_echo(url, options));
}

Connection open_echo_pipe(const Url& url, const ConnectOptions& options) {
  return with_children(connect_echo_pipe(url, options));
}

Connection open_echo_http(const Url& url, const ConnectOptions& options) {
  return alone(connect_echo_http(url, options));
}

#if RPS_HAVE_STAGE2
Connection open_jsonrpc(const Url& url, const ConnectOptions& options) {
  return alone(jsonrpc::connect(url, options));
}

Connection open_jsonrpc_lean(const Url& url, const ConnectOptions& options) {
  return alone(connect_jsonrpc_lean(url, options));
}

// The URL of scheme jsonrpc for the same client.
Url without_http(const Url& url) {
  if (!url.path.empty() && url.path != "/" && url.path != "/rpc") {
    throw std::invalid_argument("JSON-RPC over HTTP is at /rpc, not at " + url.path);
  }
  Url same = url;
  same.scheme = "jsonrpc";
  same.path.clear();
  same.query.emplace_back("framing", "http");
  return same;
}

void check_jsonrpc(const Url& url) {
  (void)jsonrpc::make_codec(url);
}

void check_http(const Url& url) {
  check_jsonrpc(without_http(url));
}

Connection open_http(const Url& url, const ConnectOptions& options) {
  return alone(jsonrpc::connect(without_http(url), options));
}

#endif

#if RPS_HAVE_STAGE3
Connection open_grpc(const Url& url, const ConnectOptions& options) {
  return alone(rpc::connect(url, options));
}

void check_rest(const Url& url) {
  (void)rpc::rest::make_codec(url);
}

Connection open_rest(const Url& url, const ConnectOptions& options) {
  return alone(rpc::rest::connect(url, options));
}
#endif

#if RPS_HAVE_LEAN_GRPC
Connection open_grpc_lean(const Url& url, const ConnectOptions& options) {
  return alone(connect_grpc_lean(url, options));
}
#endif

#if RPS_HAVE_STAGE2 || RPS_HAVE_STAGE3
// The wires of a fleet's instances, by the scheme of its URL: jsonrpc+fleet and grpc+fleet have one
// wire each, the others all that this build knows.
std::vector<fleet::Wire> wires_of(const Url& url) {
  std::vector<fleet::Wire> wires;
#if RPS_HAVE_STAGE2
  wires.push_back(jsonrpc::fleet_wire());
#endif
#if RPS_HAVE_STAGE3
  wires.push_back(rpc::rest::fleet_wire());
#endif
#if RPS_HAVE_LEAN_GRPC
  wires.push_back(rpc::fleet_wire());
#endif
  if (url.scheme.ends_with("+fleet")) {
    std::erase_if(wires,
                  [&](const fleet::Wire& wire) { return !url.scheme.starts_with(wire.scheme); });
  }
  return wires;
}

// Where the list of a fleet's instances comes from, by the scheme of its URL.
fleet::Source source_of([[maybe_unused]] const Url& url) {
#if RPS_HAVE_ETCD
  if (url.scheme.starts_with("etcd")) return etcd::fleet_source();
#endif
  return fleet::file_source();
}

void check_fleet(const Url& url) {
  fleet::check(url, source_of(url), wires_of(url));
}

Connection open_fleet(const Url& url, const ConnectOptions& options) {
  const auto notice = [](const std::string& sentence) {
    std::cerr << "fleet: " << sentence << '\n';
  };
  return alone(fleet::connect(url, source_of(url), wires_of(url), options, notice));
}
#endif

struct Transport {
  std::string_view scheme;
  void (*check)(const Url& url);  // Throws std::exception for what connecting would not understand.
  Connection (*open)(const Url& url, const ConnectOptions& options);
  bool answers_in_submit = false;
};

constexpr auto transports = std::to_array<Transport>({
    {"inproc", check_inproc, open_inproc, true},
    {"cli", check_cli, open_cli},
    {"cli+pty", check_cli, open_cli_pty},
    {"cli+spawn", check_cli, open_cli_spawn},
    {"spawn", check_bare_spawn, open_spawn},
    {"echo", check_echo, open_echo},
    {"echo+pipe", check_echo_pipe, open_echo_pipe},
    {"echo+http", check_echo_http, open_echo_http},
#if RPS_HAVE_STAGE2
    {"jsonrpc", check_jsonrpc, open_jsonrpc},
    {"jsonrpc+fleet", check_fleet, open_fleet},
    {"jsonrpc+lean", check_jsonrpc_lean, open_jsonrpc_lean},
    {"http", check_http, open_http},
#endif
#if RPS_HAVE_STAGE3
    {"grpc", rpc::check, open_grpc},
    {"grpcs", rpc::check, open_grpc},
    {"http+rest", check_rest, open_rest},
#endif
#if RPS_HAVE_LEAN_GRPC
    {"grpc+lean", check_grpc_lean, open_grpc_lean},
    {"grpcs+lean", check_grpc_lean, open_grpc_lean},
    {"grpc+fleet", check_fleet, open_fleet},
#endif
#if RPS_HAVE_STAGE2 || RPS_HAVE_STAGE3
    {"file", check_fleet, open_fleet},
#endif
#if RPS_HAVE_ETCD
    {"etcd", check_fleet, open_fleet},
    {"etcds", check_fleet, open_fleet},
#endif
});

// Null when this build does not know it.
const Transport* find(std::string_view scheme) {
  const auto* const found = std::ranges::find(transports, scheme, &Transport::scheme);
  return found == transports.end() ? nullptr : found;
}

// A sentence about a scheme that this build does not speak.
std::string not_spoken(std::string_view scheme) {
  if (scheme == "https") {
    return "nobody here serves https: stage 2 speaks HTTP without TLS, so say http";
  }
#if !RPS_HAVE_ETCD
  if (scheme == "etcd" || scheme == "etcds") {
    return "this build does not follow a list in etcd: for that it must be built with "
           "stage 3, which needs gRPC, and with nlohmann-json";
  }
#endif
  std::string text = "this build does not speak '" + std::string(scheme) + "'; it speaks ";
  for (const Transport& transport : transports) {
    text.append(&transport == transports.data() ? "" : ", ").append(transport.scheme);
  }
  return text;
}

}  // namespace

bool speaks(std::string_view scheme) {
  return find(scheme) != nullptr;
}

std::expected<void, std::string> check(const Url& url) {
  const Transport* const transport = find(url.scheme);
  if (transport == nullptr) return std::unexpected(not_spoken(url.scheme));
  try {
    transport->check(url);
    return {};
  } catch (const std::exception& refusal) {
    return std::unexpected(refusal.what());
  }
}

bool answers_in_submit(std::string_view url) {
  const Transport* const transport = find(url.substr(0, url.find(':')));
  return transport != nullptr && transport->answers_in_submit;
}

Connection connect(std::string_view text, const ConnectOptions& options) {
  const auto url = parse_url(text);
  if (!url) throw std::invalid_argument(url.error());
  const Transport* const transport = find(url->scheme);
  if (transport == nullptr) throw std::invalid_argument(not_spoken(url->scheme));
  return transport->open(*url, options);
}

}  // namespace rps::load
