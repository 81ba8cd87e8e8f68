// The link that writes the access log, a line at level info for each answer:
//
//   call method=/rps.v1.RockPaperScissorsService/Play operation=play identity="ann"
//     address=ipv4:127.0.0.1:4242 outcome=ok duration_us=7
//     trace_id=0af7651916cd43dd8448eb211c80319c
//
// (in one line). This is the message; the log escapes the quotation marks in it
// (core/server/log_spelling.hpp). What is not known is '-'. `outcome` is "ok" or the Error's name,
// `duration_us` the time that rps_request_duration_seconds counts. A message of a stream is a line
// of its own. A line is written within 50 ms together with others; a call never waits for the log's
// reader, and lines that are lost are counted (core/server/bulk_log.hpp).
#pragma once

#include "stage3_grpc/chain/chain.hpp"

namespace rps::server {
class BulkLog;
}

namespace rps::rpc::chain {

class Log : public Link {
 public:
  // REQUIRES: `log` outlives the link, and was started before the link is on.
  explicit Log(server::BulkLog& log) : log_(log) {}

  bool configure(const ChainSettings& settings) { return settings.has_access_log; }

  void end(const CallInfo& call, const Outcome& outcome) noexcept;
  void refused(const CallInfo& call, const Outcome& outcome) noexcept { end(call, outcome); }

 private:
  server::BulkLog& log_;
};

}  // namespace rps::rpc::chain
