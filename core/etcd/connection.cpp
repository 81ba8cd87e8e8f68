#include "core/etcd/connection.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <openssl/crypto.h>

#include "core/net/file.hpp"
#include "etcd.grpc.pb.h"

namespace rps::etcd {

namespace {

// The text of the file that the parameter names; empty without the parameter.
std::string read_named_file(const Url& url, std::string_view parameter) {
  const auto path = url.find(parameter);
  if (!path) return "";
  auto text = net::read_file(std::string(*path), limits::file_bytes_max);
  if (!text) {
    throw std::invalid_argument("the file of '" + std::string(parameter) + "', '" +
                                std::string(*path) + "', " + text.error());
  }
  return *std::move(text);
}

void require_both(const Url& url, std::string_view one, std::string_view other) {
  if (url.find(one).has_value() == url.find(other).has_value()) return;
  throw std::invalid_argument("'" + std::string(one) + "' and '" + std::string(other) +
                              "' are given together");
}

std::shared_ptr<grpc::ChannelCredentials> credentials_of(const Endpoint& endpoint) {
  if (!endpoint.is_over_tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = endpoint.ca;
  options.pem_private_key = endpoint.key;
  options.pem_cert_chain = endpoint.cert;
  return grpc::SslCredentials(options);
}

std::shared_ptr<grpc::Channel> open_channel(const Endpoint& endpoint) {
  // Threads of gRPC may shake hands while the process ends, and OpenSSL's own atexit handler would
  // free what they use. The call has no effect when something has used OpenSSL before.
  if (endpoint.is_over_tls) ::OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, limits::connect_max.count());
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, limits::ping_period.count());
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, limits::ping_timeout.count());
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  return grpc::CreateCustomChannel(to_string(endpoint.address), credentials_of(endpoint),
                                   arguments);
}

}  // namespace

Endpoint read_endpoint(const Url& url) {
  if (url.host.empty() || url.port == 0) {
    throw std::invalid_argument("an etcd URL is " + url.scheme + "://HOST:PORT/PREFIX");
  }
  const bool is_over_tls = url.scheme == "etcds";
  if (!is_over_tls && (url.find("ca") || url.find("cert") || url.find("key"))) {
    throw std::invalid_argument("'ca', 'cert' and 'key' belong to an etcds URL, which is over TLS");
  }
  require_both(url, "cert", "key");
  require_both(url, "user", "password_file");
  std::string password = read_named_file(url, "password_file");
  password.resize(std::min(password.size(), password.find_first_of("\r\n")));
  return {.address = {.host = url.host, .port = url.port},
          .is_over_tls = is_over_tls,
          .ca = read_named_file(url, "ca"),
          .cert = read_named_file(url, "cert"),
          .key = read_named_file(url, "key"),
          .user = std::string(url.find("user").value_or("")),
          .password = std::move(password)};
}

std::string read_prefix(const Url& url) {
  const std::size_t begin = url.path.find_first_not_of('/');
  if (begin == std::string::npos) {
    throw std::invalid_argument("an etcd URL names what its keys begin with, as in " + url.scheme +
                                "://127.0.0.1:2379/rps");
  }
  return url.path.substr(begin, url.path.find_last_not_of('/') + 1 - begin);
}

std::string read_key(const Url& url) {
  if (url.path.size() < 2) {
    throw std::invalid_argument("an etcd URL names a key here, as in " + url.scheme +
                                "://127.0.0.1:2379/rps.conf");
  }
  return url.path.substr(1);
}

std::string keys_of(std::string_view prefix, std::string_view service) {
  return std::string(prefix) + "/" + std::string(service) + "/";
}

std::string end_of(std::string start) {
  assert(start.ends_with('/'));
  ++start.back();
  return start;
}

Connection::Connection(Endpoint endpoint)
    : endpoint_(std::move(endpoint)), channel_(open_channel(endpoint_)) {}

void Connection::await_channel(const std::stop_token& stop, Deadline deadline) const {
  using std::chrono::system_clock;
  const Deadline give_up = std::min(deadline, system_clock::now() + limits::connect_wait);
  grpc_connectivity_state state = channel_->GetState(true);
  const bool has_failed = state == GRPC_CHANNEL_TRANSIENT_FAILURE;
  while (state != GRPC_CHANNEL_READY && system_clock::now() < give_up && !stop.stop_requested()) {
    channel_->WaitForStateChange(state, system_clock::now() + limits::connect_look_period);
    state = channel_->GetState(true);
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE && !has_failed) return;
  }
}

bool Connection::is_about_token(const grpc::Status& status) {
  return status.error_code() == grpc::UNAUTHENTICATED ||
         status.error_message() == "etcdserver: revision of auth store is old";
}

grpc::Status Connection::authorize(grpc::ClientContext& context, const std::stop_token& stop,
                                   Deadline deadline) {
  if (endpoint_.user.empty()) return grpc::Status::OK;
  if (token_.empty()) {
    grpc::ClientContext own;
    own.set_deadline(deadline);
    const std::stop_callback cancel(stop, [&own] { own.TryCancel(); });
    etcdserverpb::AuthenticateRequest request;
    request.set_name(endpoint_.user);
    request.set_password(endpoint_.password);
    etcdserverpb::AuthenticateResponse response;
    grpc::Status status = etcdserverpb::Auth::Stub(channel_).Authenticate(&own, request, &response);
    // An etcd that asks for no password needs no token.
    if (status.error_code() == grpc::FAILED_PRECONDITION) return grpc::Status::OK;
    if (!status.ok()) return status;
    token_ = response.token();
  }
  context.AddMetadata("token", token_);
  return grpc::Status::OK;
}

}  // namespace rps::etcd
