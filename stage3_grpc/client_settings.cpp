#include "stage3_grpc/client_settings.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string_view>

#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include "core/net/file.hpp"
#include "core/number.hpp"
#include "stage3_grpc/client_balance.hpp"

namespace rps::rpc {

namespace {

// A server that has gone silent is noticed after these two; a server may refuse to be asked more
// often than once a minute.
constexpr int keepalive_after_ms = 60'000;
constexpr int keepalive_answer_ms = 10'000;

std::uint32_t read_number(const std::string& name, std::string_view value, std::uint64_t min = 0) {
  const auto number =
      parse_count(value, {.min = min, .max = std::numeric_limits<std::uint32_t>::max()});
  if (!number) throw std::runtime_error(name + " " + number.error());
  return static_cast<std::uint32_t>(*number);
}

PlayMode read_mode(std::string_view value) {
  if (value == "unary") return PlayMode::unary;
  if (value == "rally") return PlayMode::rally;
  if (value == "many") return PlayMode::many;
  if (value == "watch") return PlayMode::watch;
  throw std::runtime_error("the mode is unary, rally, many or watch, not '" + std::string(value) +
                           "'");
}

constexpr std::size_t pem_file_bytes_max = std::size_t{1} << 20;

std::string read_pem(std::string_view name, const std::string& path) {
  auto text = net::read_file(path, pem_file_bytes_max);
  if (text && !text->empty()) return *std::move(text);
  const std::string reason = text ? "is empty" : text.error();
  throw std::runtime_error("the file of '" + std::string(name) + "', '" + path + "', " + reason);
}

// Takes what only TLS has. False when `name` is nothing of that.
bool read_tls(const std::string& name, const std::string& value,
              grpc::SslCredentialsOptions& options, ClientSettings& settings) {
  if (name == "ca") {
    options.pem_root_certs = read_pem(name, value);
  } else if (name == "cert") {
    options.pem_cert_chain = read_pem(name, value);
  } else if (name == "key") {
    options.pem_private_key = read_pem(name, value);
  } else if (name == "name") {
    settings.checked_name = value;
  } else {
    return false;
  }
  return true;
}

// What a list of addresses needs beside them. A Play that fails there is tried again in any case.
void take_list(const Url& url, ClientSettings& settings) {
  if (url.more.empty()) return;
  if (url.find("resend")) {
    throw std::runtime_error("resend is for one address: with several, gRPC always sends again");
  }
  const auto is_first = [&](const HostPort& address) { return address.host == url.host; };
  if (url.scheme == "grpcs" && settings.checked_name.empty()) {
    if (!std::ranges::all_of(url.more, is_first)) {
      throw std::runtime_error(
          "servers of a list with different hosts need 'name', which all their certificates name");
    }
    settings.checked_name = url.host;
  }
  settings.addresses = url.more;
  settings.addresses.insert(settings.addresses.begin(), {.host = url.host, .port = url.port});
  settings.sends_again = true;
}

}  // namespace

ClientSettings read_settings(const Url& url) {
  const bool is_tls = url.scheme == "grpcs";
  if (url.host.empty() || !url.path.empty()) {
    throw std::runtime_error("a gRPC URL is " + url.scheme + "://HOST:PORT?name=value&…");
  }
  ClientSettings settings{.target = to_string(HostPort{.host = url.host, .port = url.port})};
  grpc::SslCredentialsOptions tls;
  for (const auto& [name, value] : url.query) {
    if (name == "mode") {
      settings.mode = read_mode(value);
    } else if (name == "rounds") {
      settings.rounds = read_number(name, value, 1);
    } else if (name == "resend") {
      if (value != "0" && value != "1") throw std::runtime_error("resend is 0 or 1");
      settings.sends_again = value == "1";
    } else if (name == "deadline_ms") {
      settings.deadline = std::chrono::milliseconds(read_number(name, value));
    } else if (!is_tls || !read_tls(name, value, tls, settings)) {
      throw std::runtime_error("a " + url.scheme + " URL knows no '" + name + "'");
    }
  }
  if (url.find("rounds") && settings.mode != PlayMode::many) {
    throw std::runtime_error("rounds are those of mode=many");
  }
  if (tls.pem_cert_chain.empty() != tls.pem_private_key.empty()) {
    throw std::runtime_error("cert and key go together");
  }
  take_list(url, settings);
  settings.credentials = is_tls ? grpc::SslCredentials(tls) : grpc::InsecureChannelCredentials();
  return settings;
}

void find_addresses(ClientSettings& settings) {
  if (!settings.addresses.empty()) settings.target = find_target(settings.addresses);
}

std::shared_ptr<grpc::Channel> open_channel(const ClientSettings& settings) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // Else equal channels share a socket.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Without the policy of a list, only calls that the server has not processed are sent again.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, settings.sends_again ? 1 : 0);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, keepalive_after_ms);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keepalive_answer_ms);
  if (!settings.addresses.empty()) {
    balance(arguments);
    arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, to_string(settings.addresses.front()));
  }
  if (!settings.checked_name.empty()) arguments.SetSslTargetNameOverride(settings.checked_name);
  return grpc::CreateCustomChannel(settings.target, settings.credentials, arguments);
}

}  // namespace rps::rpc
