// A request of HTTP as the chain sees it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/net/http.hpp"
#include "stage3_grpc/chain/game_chain.hpp"

namespace rps::rpc::rest {

// Exists until the call is over: for a stream, until its end. Used by one thread.
class Call final : private chain::Transport {
 public:
  // `method` and `peer` as in chain::CallInfo and chain::Transport. REQUIRES: all of them outlive
  // the call.
  Call(chain::GameChain& chain, const net::HttpRequest& request, std::string_view method,
       std::string_view peer)
      : chain_(chain),
        request_(request),
        peer_(peer),
        info_{.transport = *this, .method = method, .began_at = Clock::now()} {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() { chain_.end_call(info_); }

  chain::GameChain& chain() const { return chain_; }
  chain::CallInfo& info() { return info_; }

  // What the chain sends with the response: lines for its header.
  const std::string& fields() const { return fields_; }

 private:
  std::optional<std::string_view> header(std::string_view name) override;
  std::string_view peer() override { return peer_; }
  // Nobody shows a certificate on this port, which is not for TLS.
  std::shared_ptr<const std::string> certificate_identity() override { return nullptr; }
  void add_trailer(const std::string& name, const std::string& value) override;

  chain::GameChain& chain_;
  const net::HttpRequest& request_;
  const std::string_view peer_;
  chain::CallInfo info_;
  std::string fields_;
};

}  // namespace rps::rpc::rest
