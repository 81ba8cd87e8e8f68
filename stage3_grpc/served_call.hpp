// A call of gRPC as the chain sees it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <grpcpp/support/server_callback.h>

#include "stage3_grpc/chain/game_chain.hpp"
#include "stage3_grpc/peer_table.hpp"

namespace rps::rpc {

// The methods of rps.v1.RockPaperScissorsService, as the log names them.
namespace method {
inline constexpr std::string_view play = "/rps.v1.RockPaperScissorsService/Play";
inline constexpr std::string_view score = "/rps.v1.RockPaperScissorsService/Score";
inline constexpr std::string_view play_many = "/rps.v1.RockPaperScissorsService/PlayMany";
inline constexpr std::string_view watch = "/rps.v1.RockPaperScissorsService/Watch";
inline constexpr std::string_view rally = "/rps.v1.RockPaperScissorsService/Rally";
inline constexpr std::string_view duel = "/rps.v1.RockPaperScissorsService/Duel";
}  // namespace method

// Exists from the beginning of a call until it is over: a stream keeps one for all its messages.
// Used by one thread at a time.
class ServedCall final : private chain::Transport {
 public:
  // What all calls share. REQUIRES: both outlive the calls.
  struct Shared {
    chain::GameChain& chain;
    const PeerTable& peers;
  };

  // `method`: a constant. REQUIRES: `context` outlives the call.
  ServedCall(const Shared& shared, grpc::CallbackServerContext& context, std::string_view method)
      : shared_(shared), context_(context), info_{.transport = *this, .method = method} {}
  ServedCall(const ServedCall&) = delete;
  ServedCall& operator=(const ServedCall&) = delete;
  ~ServedCall() { shared_.chain.end_call(info_); }

  grpc::CallbackServerContext& context() const { return context_; }
  chain::GameChain& chain() const { return shared_.chain; }
  chain::CallInfo& info() { return info_; }

 private:
  std::optional<std::string_view> header(std::string_view name) override;
  std::string_view peer() override;
  std::shared_ptr<const std::string> certificate_identity() override;
  void add_trailer(const std::string& name, const std::string& value) override;

  const Shared shared_;
  grpc::CallbackServerContext& context_;
  chain::CallInfo info_;
  std::optional<std::string> peer_;  // When a link has asked.
};

}  // namespace rps::rpc
