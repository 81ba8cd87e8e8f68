// What an operator may set of the chain. All but the name of a file may change while the server
// runs.
#pragma once

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace rps::rpc::chain {

struct ChainSettings {
  // Auth. The file (chain/callers.hpp) is named at the start and then only read again.
  bool has_auth = false;    // --auth
  std::string tokens_file;  // --auth-tokens; empty: none.

  // Trace. Off: a `traceparent` is not looked for, and none is sent.
  bool has_trace = true;  // --trace
  // --trace-sampling: the share of calls without a `traceparent` that begin a trace of their own.
  double trace_sampling = 0;

  // RateLimit. --rate-limit: calls a second of one caller; 0: no limit. --rate-burst: calls at once
  // on top of that. --max-calls-in-progress: of all callers; 0: no limit.
  std::uint32_t calls_per_second_max = 0;
  std::uint32_t calls_burst_max = 100;
  std::uint32_t calls_in_progress_max = 0;

  // Metrics. Off: rps_requests_total, rps_request_duration_seconds and rps_requests_in_flight stand
  // still, and the log's line on the drain, which is made of the first, knows of no call; a line
  // before it says so.
  bool has_metrics = true;  // --metrics

  // Log: a line for each answer.
  bool has_access_log = false;  // --access-log
};

// Adds the flags named above; `settings` must outlive the parsing.
void add_flags(CLI::App& app, ChainSettings& settings);

}  // namespace rps::rpc::chain
