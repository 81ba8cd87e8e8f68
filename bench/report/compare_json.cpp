#include "bench/report/compare_json.hpp"

#include <optional>

#include <nlohmann/json.hpp>

#include "bench/report/compare_summary.hpp"

namespace rps::load {

namespace {

using Json = nlohmann::ordered_json;

template <class Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const Environment& environment) {
  return {{"date", environment.date},         {"kernel", environment.kernel},
          {"cpu", environment.cpu},           {"cores", environment.cores},
          {"compiler", environment.compiler}, {"build", environment.build},
          {"revision", environment.revision}, {"warning", build_warning()}};
}

Json to_json(const CompareOptions& options, const std::vector<std::string>& command_line) {
  Json json{{"command_line", command_line}, {"seed", options.seed},
            {"rounds", options.rounds},     {"seconds", options.seconds},
            {"warmup", options.warmup},     {"connections", options.connections},
            {"server_cpu", nullptr},        {"load_cpu", nullptr}};
  if (options.cpus) {
    json["server_cpu"] = options.cpus->server;
    json["load_cpu"] = options.cpus->load;
  }
  return json;
}

Json to_json(const Verdicts& verdicts) {
  Json json = Json::object();
  for (const Verdict verdict : all_verdicts) json[to_string(verdict)] = verdicts.of(verdict);
  return json;
}

Json to_json(const CompareTrial& each, const CompareOptions& options) {
  const Trial& trial = each.trial;
  return {{"stage", options.stages[each.stage].key},
          {"connections", each.connections},
          {"round", each.round},
          {"order", each.order},
          {"valid", trial.valid},
          {"complaint", trial.complaint()},
          {"answers", to_json(trial.verdicts)},
          {"lost", trial.lost},
          {"requests", trial.requests},
          {"seconds", trial.seconds},
          {"qps", trial.per_second},
          {"mean_ns", trial.mean_ns},
          {"p50_ns", or_null(trial.p50_ns)},
          {"p90_ns", or_null(trial.p90_ns)},
          {"p99_ns", or_null(trial.p99_ns)},
          {"p999_ns", or_null(trial.p999_ns)},
          {"max_ns", trial.max_ns},
          {"server_cpu_us_per_request", or_null(trial.server_cpu_us_per_request)},
          {"server_cpu_share", or_null(trial.server_cpu_share)},
          {"load_cpu_share", trial.load_cpu_share},
          {"other_cpu_share", or_null(trial.other_cpu_share)},
          {"server_rss_peak_bytes", trial.server_rss_peak_bytes},
          {"observer_active", or_null(trial.observer_active)}};
}

Json to_json(const Estimate& estimate) {
  if (estimate.trials == 0) return nullptr;
  return {{"median", estimate.median},
          {"low", estimate.low},
          {"high", estimate.high},
          {"trials", estimate.trials}};
}

Json to_json(const Row& row, const CompareRun& run) {
  const Stage& stage = run.options.stages[row.stage];
  return {{"stage", stage.key},
          {"connections", row.connections},
          {"built", bool{run.is_built[row.stage]}},
          {"trials", row.trials},
          {"invalid", row.invalid},
          {"claimed_latency", stage.claim.latency},
          {"claimed_qps", stage.claim.qps_value},
          {"qps", to_json(row.per_second)},
          {"mean_ns", to_json(row.mean_ns)},
          {"p50_ns", to_json(row.p50_ns)},
          {"p99_ns", to_json(row.p99_ns)},
          {"server_cpu_us_per_request", to_json(row.cpu_us)},
          {"server_cpu_share", to_json(row.server_cpu_share)},
          {"load_cpu_share", to_json(row.load_cpu_share)},
          {"other_cpu_share", to_json(row.other_cpu_share)},
          {"observer_active_trials", or_null(row.observer_active)}};
}

Json to_json(const Ratio& ratio, const CompareOptions& options) {
  return {{"stage", options.stages[ratio.stage].key},
          {"against", options.stages[ratio.previous].key},
          {"connections", ratio.connections},
          {"qps_ratio_claimed", ratio.claimed},
          {"qps_ratio", to_json(ratio.per_second)},
          {"server_cpu_ratio", to_json(ratio.cpu_us)},
          {"verdict", verdict_on(ratio.claimed, ratio.per_second)}};
}

}  // namespace

std::string compare_json(const CompareRun& run, const Environment& environment,
                         const std::vector<std::string>& command_line) {
  Json json{{"schema_version", compare_schema_version},
            {"interrupted", run.interrupted},
            {"environment", to_json(environment)},
            {"args", to_json(run.options, command_line)},
            {"trials", Json::array()},
            {"summary", Json::array()},
            {"comparisons", Json::array()}};
  for (const CompareTrial& each : run.trials) json["trials"].push_back(to_json(each, run.options));
  for (const Row& row : rows_of(run)) json["summary"].push_back(to_json(row, run));
  for (const Ratio& ratio : ratios_of(run)) {
    json["comparisons"].push_back(to_json(ratio, run.options));
  }
  return json.dump(2) + "\n";
}

}  // namespace rps::load
