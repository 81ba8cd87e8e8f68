#include "stage3_grpc/chain/game_chain.hpp"

#include <cstdint>
#include <random>

namespace rps::rpc::chain {

namespace {

std::uint64_t random_secret() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace

GameChain::GameChain(const ChainSettings& settings, server::Metrics& metrics, spdlog::logger& log)
    : trace_(random_secret()),
      rate_limit_(metrics, random_secret()),
      metrics_(metrics),
      log_(log),
      links_(trace_, rate_limit_, metrics_, log_) {
  configure(settings);
}

}  // namespace rps::rpc::chain
