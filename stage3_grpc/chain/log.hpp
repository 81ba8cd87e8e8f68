// The link that writes the access log, a line at level info for each answer:
//
//   call method=/rps.v1.RockPaperScissorsService/Play operation=play identity="ann"
//     address=ipv4:127.0.0.1:4242 outcome=ok duration_us=7
//     trace_id=0af7651916cd43dd8448eb211c80319c
//
// (in one line). What is not known is '-'. `outcome` is "ok" or the Error's name, `duration_us` the
// time that rps_request_duration_seconds counts. A message of a stream is a line of its own. The
// log never waits for its reader; it counts lines that are lost (core/server/log.hpp).
#pragma once

#include "stage3_grpc/chain/chain.hpp"

namespace spdlog {
class logger;
}

namespace rps::rpc::chain {

class Log : public Link {
 public:
  // REQUIRES: `log` outlives the link.
  explicit Log(spdlog::logger& log) : log_(log) {}

  bool configure(const ChainSettings& settings) { return settings.has_access_log; }

  void end(const CallInfo& call, const Outcome& outcome) noexcept;
  void refused(const CallInfo& call, const Outcome& outcome) noexcept { end(call, outcome); }

 private:
  spdlog::logger& log_;
};

}  // namespace rps::rpc::chain
