// What every caller of etcd needs: where etcd is and how it is spoken to, a channel, and calls over
// it.
//
//     etcd://127.0.0.1:2379/prod?user=rps&password_file=/etc/rps/etcd.password
//     etcds://etcd.internal:2379/prod?ca=/etc/rps/ca.pem&cert=/etc/rps/me.pem&key=/etc/rps/me.key
//
//   ca             etcds: the authorities that etcd's certificate may come from (PEM); without it
//                  the system's
//   cert, key      etcds: the caller's own certificate and its key (PEM), together
//   user           with password_file: etcd's user (etcd's Authenticate)
//   password_file  its first line is the password
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include "core/etcd/limits.hpp"
#include "core/url.hpp"

namespace rps::etcd {

struct Endpoint {
  HostPort address;
  bool is_over_tls = false;
  std::string ca;  // These are the texts of the files.
  std::string cert;
  std::string key;
  std::string user;  // Empty: no password.
  std::string password;
};

// The parameters above.
inline constexpr std::array<std::string_view, 5> endpoint_parameters{"ca", "cert", "key", "user",
                                                                     "password_file"};

// Reads the files that the URL names. Throws std::invalid_argument for a URL that makes no sense or
// a file that cannot be read. Parameters that are not in the list above are not looked at.
Endpoint read_endpoint(const Url& url);

// The path of the URL without "/" at its ends: what all keys begin with. Throws
// std::invalid_argument when nothing is left.
std::string read_prefix(const Url& url);

// The key that the URL names: its path behind the first "/", so that "//a" is the key "/a". Throws
// std::invalid_argument when there is none.
std::string read_key(const Url& url);

// The keys of a service begin so: "<prefix>/<service>/"; an instance's key appends its host:port.
std::string keys_of(std::string_view prefix, std::string_view service);

// The first key behind all keys that begin with `start`, as etcd's range_end: `start` with its last
// byte one higher. `start` ends with "/".
std::string end_of(std::string start);

// A channel to etcd, with a token of etcd's when there is a password. One thread at a time uses it.
class Connection {
 public:
  // Does not connect. The channel shares no connection with others. It connects again at most a
  // second after etcd is back, while calls are made.
  explicit Connection(Endpoint endpoint);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // Calls `make` with a context that has the token, and a deadline `time_max` from now for all of
  // it; `stop` cancels it. With a new token once more, when etcd takes the old one no longer.
  template <class Make>
  grpc::Status call(const std::stop_token& stop, const Make& make,
                    std::chrono::milliseconds time_max = limits::call_timeout) {
    const Deadline deadline = std::chrono::system_clock::now() + time_max;
    await_channel(stop, deadline);
    grpc::Status status;
    for (int attempt = 0; attempt < 2; ++attempt) {
      grpc::ClientContext context;
      context.set_deadline(deadline);
      status = authorize(context, stop, deadline);
      if (!status.ok()) return status;
      const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
      status = make(context);
      if (token_.empty() || !is_about_token(status)) return status;
      token_.clear();
    }
    return status;
  }

  // The same for a call that goes on for long: gives the token to its context; asks etcd for one
  // when there is none, within limits::call_timeout.
  grpc::Status authorize(grpc::ClientContext& context, const std::stop_token& stop) {
    return authorize(context, stop, std::chrono::system_clock::now() + limits::call_timeout);
  }

 private:
  using Deadline = std::chrono::system_clock::time_point;

  // Whether etcd would take another token: this one is over, or its users have changed since.
  static bool is_about_token(const grpc::Status& status);

  // Waits until the channel is connected or its first attempt has failed; when earlier attempts
  // have failed, limits::connect_wait at most. gRPC makes progress with connecting only while
  // somebody waits.
  void await_channel(const std::stop_token& stop, Deadline deadline) const;

  grpc::Status authorize(grpc::ClientContext& context, const std::stop_token& stop,
                         Deadline deadline);

  const Endpoint endpoint_;
  const std::shared_ptr<grpc::Channel> channel_;
  std::string token_;  // Empty: none yet, or none needed.
};

}  // namespace rps::etcd
