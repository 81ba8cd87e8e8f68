#include "stage3_grpc/chain/settings.hpp"

#include "core/flags/group.hpp"

namespace rps::rpc::chain {

void add_flags(CLI::App& app, ChainSettings& settings) {
  constexpr std::uint32_t calls_max = 1'000'000;
  flags::Group group(app, "Every call");
  flags::Group chain = group.reloadable();
  chain.add_choice(
      "--auth", settings.has_auth, {{"on", true}, {"off", false}},
      "Whether a call is refused whose caller shows neither a client certificate nor a token");
  group.add_text(
      "--auth-tokens", settings.tokens_file, "FILE",
      "File of callers, a line each: SHA-256 of the token, operations that are allowed, name");
  chain.add_choice("--trace", settings.has_trace, {{"on", true}, {"off", false}},
                   "Whether a call's traceparent is read, and one returned with the response");
  chain.add_share("--trace-sampling", settings.trace_sampling, {.min = 0, .max = 1},
                  "Share of the calls without a traceparent that begin a trace");
  chain.add_rate("--rate-limit", settings.calls_per_second_max, {.min = 0, .max = calls_max},
                 "Calls a second of one caller, who is known by identity or else by address; 0: no "
                 "limit");
  chain.add_count("--rate-burst", settings.calls_burst_max, {.min = 1, .max = calls_max},
                  "Calls at once on top of --rate-limit");
  chain.add_count("--max-calls-in-progress", settings.calls_in_progress_max,
                  {.min = 0, .max = calls_max},
                  "Calls of all callers that may be in progress at once, open streams included; 0: "
                  "no limit");
  chain.add_choice("--metrics", settings.has_metrics, {{"on", true}, {"off", false}},
                   "Whether calls are counted and timed; off: the metrics of requests stand still");
  chain.add_choice("--access-log", settings.has_access_log, {{"on", true}, {"off", false}},
                   "Whether each answer is a line of the log, at level info");
}

}  // namespace rps::rpc::chain
