// The certificates that new connections get, read again when their files change.
//
//   rps_tls_reloads_total{result}         accepted: the new ones are served; rejected: the old ones
//   rps_tls_certificate_expiry_seconds    when the served certificate expires, in seconds of Unix
#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <openssl/ssl.h>

#include "core/clock.hpp"
#include "core/net/file_watch.hpp"
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
  // Reads the files and watches them. Registers its metrics. Throws std::runtime_error that says
  // what is wrong with the files. REQUIRES: files.is_on(); registry and log outlive it.
  Reloader(Files files, prometheus::Registry& registry, spdlog::logger& log);

  // For the handshake of a connection, which keeps it for as long as the connection lives. Any
  // thread.
  std::shared_ptr<SSL_CTX> context() const;

  // Reads the files again. When they are accepted (certificates.hpp), new connections get them;
  // otherwise all stays as it was. Logs and counts which of the two it was. Any thread.
  bool reload();

  // Does the same when the files have changed and then not for one tick, because key and
  // certificate may be written one after the other. A change that the kernel does not report, as on
  // a network file system, is found after look_period. To be called about once a second, by one
  // thread at a time.
  void tick(Clock::time_point now);

 private:
  using Read = std::expected<Pems, std::string>;

  bool is_time_to_look(Clock::time_point now);
  bool take(const Read& pems);
  void publish(Certificates certificates);

  const Files files_;
  spdlog::logger& log_;
  prometheus::Counter* accepted_;  // Owned by the registry, like the next two.
  prometheus::Counter* rejected_;
  prometheus::Gauge* expiry_;
  std::vector<net::FileWatch> watches_;
  bool is_changing_ = false;
  Clock::time_point looked_at_;

  mutable std::mutex mutex_;  // Guards what follows.
  Read tried_;                // What the files held the last time.
  std::shared_ptr<SSL_CTX> context_;
};

}  // namespace rps::rpc::tls
