#include "stage3_grpc/chain/game_chain.hpp"

namespace rps::rpc::chain {

GameChain::GameChain(const ChainSettings& settings, server::Metrics& metrics)
    : metrics_(metrics), links_(metrics_) {
  configure(settings);
}

}  // namespace rps::rpc::chain
