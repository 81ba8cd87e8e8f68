// The certificates that new connections get, read again when their files change.
//
//   rps_tls_reloads_total{result}         accepted: the new ones are served; rejected: the old ones
//   rps_tls_certificate_expiry_seconds    when the served certificate expires, in seconds of Unix
#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <string>

#include <openssl/ssl.h>

#include "core/clock.hpp"
#include "core/net/followed.hpp"
#include "stage3_grpc/tls/certificates.hpp"

namespace prometheus {
class Counter;
class Gauge;
class Registry;
}  // namespace prometheus

namespace spdlog {
class logger;
}

namespace rps::rpc::tls {

class Reloader {
 public:
  // Reads the files and follows them (followed.hpp). Registers its metrics. Throws
  // std::runtime_error that says what is wrong with the files. REQUIRES: files.is_on(); registry
  // and log outlive it.
  Reloader(const Files& files, prometheus::Registry& registry, spdlog::logger& log);

  // For the handshake of a connection, which keeps it for as long as the connection lives. Any
  // thread.
  std::shared_ptr<SSL_CTX> context() const;

  // Reads the files again. If they have changed, or were rejected before: when they are accepted
  // (certificates.hpp), new connections get them, otherwise all stays as it was. Logs and counts
  // which of the two it was. Any thread.
  void reload();

  // Does the same when the files have changed and stay as they are for a second, because key and
  // certificate may be written one after the other. What was rejected is checked again, because a
  // certificate may not be valid yet; the same reason is not logged and counted again. To be called
  // about once a second. Any thread.
  void tick(Clock::time_point now);

 private:
  using Read = std::expected<Pems, std::string>;

  void take(bool is_news);
  void publish(Certificates certificates);

  spdlog::logger& log_;
  prometheus::Counter* accepted_;  // Owned by the registry, like the next two.
  prometheus::Counter* rejected_;
  prometheus::Gauge* expiry_;

  mutable std::mutex mutex_;  // Guards what follows.
  net::Followed<Read> pems_;
  std::string rejection_;  // Why pems_ were rejected; empty when they are served.
  std::shared_ptr<SSL_CTX> context_;
};

}  // namespace rps::rpc::tls
