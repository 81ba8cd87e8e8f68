// The link that finds out who calls, and refuses what that caller may not do.
//
// A bearer token (`authorization: Bearer TOKEN`, RFC 6750) decides if the call has one; else the
// identity that the connection's client certificate has proved. Without either, and with a token
// that nobody holds, the call gets Error::unauthenticated; with an operation that the file of
// --auth-tokens (callers.hpp) does not allow this caller, Error::permission_denied. A stream keeps
// the identity of its first message.
//
// The file is read again when it changes. A new file with a mistake is rejected as a whole, and
// those callers stay in force that were read before.
//
//   rps_auth_callers                       callers in the file
//   rps_auth_file_reads_total{outcome}     changes of the file: "accepted" or "rejected"
#pragma once

#include <atomic>
#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/net/followed.hpp"
#include "core/server/metrics.hpp"
#include "stage3_grpc/chain/callers.hpp"
#include "stage3_grpc/chain/chain.hpp"

namespace prometheus {
class Counter;
class Gauge;
class Registry;
}  // namespace prometheus

namespace spdlog {
class logger;
}

struct evp_md_st;  // OpenSSL's EVP_MD.

namespace rps::rpc::chain {

namespace limits {

// The file is also looked at without a word from the kernel, which does not report every change.
inline constexpr std::chrono::seconds callers_reread_period{10};

}  // namespace limits

class Auth : public Link {
 public:
  // Reads `file`; with an empty path only certificates are known. Throws std::runtime_error with a
  // sentence for the operator when the file is wrong. Adds its metrics. REQUIRES: `log` outlives
  // the link.
  Auth(const std::string& file, server::Metrics& metrics, spdlog::logger& log);

  bool configure(const ChainSettings& settings) { return settings.has_auth; }

  std::optional<Refusal> begin(CallInfo& call);

  // Reads the file again if it may have changed (followed.hpp). To be called about once a second,
  // by one thread.
  void tick(Clock::time_point now);

  // Has the next tick() read the file in any case; if it was rejected before, try it again. Any
  // thread.
  void look_soon() { is_asked_.store(true, std::memory_order_relaxed); }

 private:
  using Text = std::expected<std::string, std::string>;

  std::optional<Identity> identify(CallInfo& call) const;
  std::optional<Identity> holder_of(std::string_view authorization) const;
  std::optional<TokenHash> hash_of(std::string_view token) const;
  std::optional<std::string> apply();

  struct FreeDigest {
    void operator()(evp_md_st* digest) const;
  };

  const std::string file_;
  spdlog::logger& log_;
  const std::unique_ptr<evp_md_st, FreeDigest> sha256_;  // Finding it for each call takes 0.3 µs.
  std::shared_ptr<prometheus::Registry> registry_;       // Owns the metrics.
  prometheus::Gauge* count_;
  prometheus::Counter* accepted_;
  prometheus::Counter* rejected_;
  std::atomic<std::shared_ptr<const Callers>> callers_;  // Never null.
  std::atomic<bool> is_asked_{false};
  // Of tick()'s thread.
  std::optional<net::Followed<Text>> text_;  // None without a file.
};

}  // namespace rps::rpc::chain
