// A game that carries out what the fuzz targets are asked for.
#pragma once

#include <string>

#include "core/game.hpp"
#include "stage2_jsonrpc/protocol.hpp"

namespace rps::jsonrpc {

// Carries calls out on a game whose house is foreseeable, at one and the same moment: what it says
// depends on the calls alone.
class Table final : public Context {
 public:
  using Context::Context;
  ~Table() { caller_.disconnect({}); }

  Reply execute(const Call& call) override { return game_.handle(call.command, caller_, {}); }
  void count_refusal(Error) override {}
  bool is_ready() const override { return true; }
  std::string metrics_text() const override { return "rps_up 1\n"; }
  bool accepts(const net::HttpAuthority& host) const override { return host_names_.accept(host); }
  std::string_view http_date() override { return "Thu, 01 Jan 1970 00:00:00 GMT"; }

 private:
  const net::HostNames host_names_{{"h"}};
  // Small, as there is a new one for each input.
  Game game_{{.seed = 7, .sessions_max = 64, .duels_max = 64}};
  Caller caller_{game_, {}};
};

}  // namespace rps::jsonrpc
