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

GameChain::GameChain(const ChainSettings& settings, server::Metrics& metrics, spdlog::logger& log)
    : auth_(settings.tokens_file, metrics, log),
      trace_(random_secret()),
      rate_limit_(metrics, random_secret()),
      metrics_(metrics),
      log_(log),
      links_(auth_, trace_, rate_limit_, metrics_, log_) {
  configure(settings);
  if (settings.has_auth && settings.tokens_file.empty()) {
    log.info("--auth=on without --auth-tokens: only client certificates say who calls");
  }
  if (!settings.has_auth && !settings.tokens_file.empty()) {
    log.warn("--auth-tokens has no effect as long as --auth is off");
  }
}

}  // namespace rps::rpc::chain
