#include "stage3_grpc/chain/game_chain.hpp"

#include <cstdint>
#include <random>

#include <spdlog/logger.h>

namespace rps::rpc::chain {

namespace {

std::uint64_t random_secret() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace

GameChain::GameChain(const ChainSettings& settings, Certificates certificates,
                     server::Metrics& metrics, spdlog::logger& log, server::BulkLog& bulk_log)
    : operator_log_(log),
      certificates_(certificates),
      auth_(settings.tokens_file, metrics, log),
      trace_(random_secret()),
      rate_limit_(metrics, random_secret()),
      metrics_(metrics),
      bulk_log_(bulk_log),
      log_(bulk_log),
      links_(auth_, trace_, rate_limit_, metrics_, log_) {
  configure(settings);
}

void GameChain::configure(const ChainSettings& settings) {
  if (settings.has_access_log) bulk_log_.start();  // First, as it may throw.
  links_.configure(settings);
  counts_calls_.store(settings.has_metrics, std::memory_order_relaxed);
  const bool has_tokens = !settings.tokens_file.empty();
  if (!settings.has_auth) {
    if (has_tokens) operator_log_.warn("--auth-tokens has no effect as long as --auth is off");
  } else if (!has_tokens && certificates_ == Certificates::none) {
    operator_log_.warn(
        "--auth=on, but there is neither --auth-tokens nor --tls-ca: every call is refused");
  } else if (!has_tokens) {
    operator_log_.info("--auth=on without --auth-tokens: only client certificates say who calls");
  }
}

}  // namespace rps::rpc::chain
