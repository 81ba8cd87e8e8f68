#include "stage3_grpc/chain/auth.hpp"

#include <algorithm>
#include <stdexcept>

#include <openssl/evp.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <spdlog/logger.h>

#include "core/net/file.hpp"

namespace rps::rpc::chain {

namespace {

char in_lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The token of an `authorization`; nothing when it is of another scheme, whose name may be written
// in any case (RFC 9110, section 11.1).
std::optional<std::string_view> bearer_token(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() <= scheme.size()) return std::nullopt;
  if (!std::ranges::equal(authorization.substr(0, scheme.size()), scheme, {}, in_lower_case)) {
    return std::nullopt;
  }
  authorization.remove_prefix(scheme.size());
  authorization.remove_prefix(std::min(authorization.find_first_not_of(' '), authorization.size()));
  return authorization;
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

void Auth::FreeDigest::operator()(evp_md_st* digest) const {
  EVP_MD_free(digest);
}

Auth::Auth(const std::string& file, server::Metrics& metrics, spdlog::logger& log)
    : file_(file),
      log_(log),
      sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
      registry_(std::make_shared<prometheus::Registry>()),
      count_(&prometheus::BuildGauge()
                  .Name("rps_auth_callers")
                  .Help("Callers in the file of --auth-tokens.")
                  .Register(*registry_)
                  .Add({})),
      callers_(std::make_shared<const Callers>()) {
  auto& reads = prometheus::BuildCounter()
                    .Name("rps_auth_file_reads_total")
                    .Help("Changes of the file of --auth-tokens by what became of them.")
                    .Register(*registry_);
  accepted_ = &reads.Add({{"outcome", "accepted"}});
  rejected_ = &reads.Add({{"outcome", "rejected"}});
  metrics.add(registry_);
  if (!sha256_) throw std::runtime_error("OpenSSL has no SHA-256");
  if (file_.empty()) return;
  text_.emplace(
      net::FileWatch::Paths{file},
      [file] { return net::read_file(file, limits::callers_file_bytes_max); },
      net::FollowRule{.look_period = limits::callers_reread_period}, Clock::now());
  if (const auto mistake = apply()) throw std::runtime_error("--auth-tokens: " + *mistake);
}

std::optional<Refusal> Auth::begin(CallInfo& call) {
  if (!call.identity) call.identity = identify(call);
  if (!call.identity) return Refusal{.error = Error::unauthenticated};
  const bool is_allowed = !call.operation || call.identity->allowed.contains(*call.operation);
  return is_allowed ? std::nullopt : std::optional(Refusal{.error = Error::permission_denied});
}

std::optional<Identity> Auth::identify(CallInfo& call) const {
  if (const auto authorization = call.transport.header("authorization")) {
    return holder_of(*authorization);
  }
  const std::shared_ptr<const std::string> proved = call.transport.certificate_identity();
  if (!proved) return std::nullopt;
  return Identity{
      .owner = proved, .name = *proved, .allowed = callers_.load()->allowed_to(*proved)};
}

std::optional<Identity> Auth::holder_of(std::string_view authorization) const {
  const auto token = bearer_token(authorization);
  if (!token) return std::nullopt;
  const auto hash = hash_of(*token);
  if (!hash) return std::nullopt;
  const std::shared_ptr<const Callers> callers = callers_.load();
  const Callers::TokenHolder* const holder = callers->find(*hash);
  if (holder == nullptr) return std::nullopt;
  return Identity{.owner = callers, .name = holder->name, .allowed = holder->allowed};
}

std::optional<TokenHash> Auth::hash_of(std::string_view token) const {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  TokenHash hash;
  const bool is_done = context && EVP_DigestInit_ex2(context.get(), sha256_.get(), nullptr) == 1 &&
                       EVP_DigestUpdate(context.get(), token.data(), token.size()) == 1 &&
                       EVP_DigestFinal_ex(context.get(), hash.data(), nullptr) == 1;
  return is_done ? std::optional(hash) : std::nullopt;
}

void Auth::tick(Clock::time_point now) {
  if (!text_) return;
  const bool is_asked = is_asked_.exchange(false, std::memory_order_relaxed);
  if (!(is_asked ? text_->reread() : text_->poll(now))) return;
  if (const auto mistake = apply()) {
    text_->reject();
    rejected_->Increment();
    log_.warn("{}; the callers that were read before stay in force", *mistake);
  } else {
    accepted_->Increment();
    log_.info("read {} callers from '{}'", callers_.load()->size(), file_);
  }
}

// Makes the callers in the file those in force. Says what is wrong with it; nothing when nothing
// is.
std::optional<std::string> Auth::apply() {
  const std::string name = "'" + file_ + "' ";
  const Text& text = text_->content();
  if (!text) return name + text.error();
  auto callers = Callers::parse(*text);
  if (!callers) return name + callers.error();
  count_->Set(static_cast<double>(callers->size()));
  callers_.store(std::make_shared<const Callers>(*std::move(callers)));
  return std::nullopt;
}

}  // namespace rps::rpc::chain
