#include <algorithm>
#include <array>
#include <concepts>
#include <map>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

#include "bench/model/run.hpp"
#include "bench/model/summary.hpp"

// Each type's members are listed once, for both directions: members(archive, value) calls
// archive("name", value.name) for each, where the archive is a Writer (then the value is const) or
// a Reader. RPS_MEMBERS makes these calls for members whose name is also their name in the file.
#define RPS_MEMBER(name) archive(#name, value.name);
#define RPS_MEMBERS(...) NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(RPS_MEMBER, __VA_ARGS__))

namespace rps::model {

namespace {

using Json = nlohmann::ordered_json;
using Details = std::vector<std::pair<std::string, std::string>>;

constexpr std::array<std::string_view, 3> ending_names{"finished", "interrupted", "broken"};
constexpr std::array<std::string_view, 2> arrivals_names{"constant", "poisson"};

template <class Value, class Plain>
concept MaybeConst = std::same_as<std::remove_const_t<Value>, Plain>;

// ---- What has which members

void members(auto& archive, MaybeConst<machine::CpuPlan> auto& value) {
  RPS_MEMBERS(server, load)
}

void members(auto& archive, MaybeConst<machine::Environment> auto& value) {
  RPS_MEMBERS(date, kernel, cpu, cores, compiler, build, revision, warning, details)
}

void members(auto& archive, MaybeConst<Plan> auto& value) {
  RPS_MEMBERS(profile, command_line, rounds, seconds)
  archive("warmup_seconds", value.warmup);
  RPS_MEMBERS(seed, cpus)
}

void members(auto& archive, MaybeConst<load::Phase> auto& value) {
  RPS_MEMBERS(seconds, from_per_second, to_per_second)
}

void members(auto& archive, MaybeConst<load::Schedule> auto& value) {
  RPS_MEMBERS(arrivals, burst, phases)
}

void members(auto& archive, MaybeConst<Load> auto& value) {
  RPS_MEMBERS(connections, depth, schedule, idle, slow)
}

void members(auto& archive, MaybeConst<Cell> auto& value) {
  RPS_MEMBERS(key, subject, name, command, is_floor, floor, answers_in_submit, rounds_per_call,
              load)
}

void members(auto& archive, MaybeConst<LeftOut> auto& value) {
  RPS_MEMBERS(subject, why)
}

void members(auto& archive, MaybeConst<machine::Usage> auto& value) {
  RPS_MEMBERS(user_seconds, system_seconds, voluntary_switches, involuntary_switches, threads,
              rss_bytes, rss_peak_bytes, open_files)
}

void members(auto& archive, MaybeConst<load::Interval> auto& value) {
  archive("begins_seconds", value.begins);
  RPS_MEMBERS(seconds, good, bad, dropped, open, p50_ns, p99_ns, max_ns, rss_bytes, open_files)
}

void members(auto& archive, MaybeConst<ConnectionCounts> auto& value) {
  RPS_MEMBERS(reconnects, resent, uncertain)
}

void members(auto& archive, MaybeConst<load::Outages> auto& value) {
  RPS_MEMBERS(count, seconds, longest_seconds)
}

void members(auto& archive, MaybeConst<WhyNo> auto& value) {
  RPS_MEMBERS(server, machine, traffic, syscalls)
  archive.if_there("recovery", value.recovery);
  archive.if_there("rejoin", value.rejoin);
}

void members(auto& archive, MaybeConst<FaultEffect> auto& value) {
  RPS_MEMBERS(began_seconds, ended_seconds, gap_seconds, recovered_seconds, rejoined_seconds)
}

void members(auto& archive, MaybeConst<Trial> auto& value) {
  RPS_MEMBERS(valid, start_error, ending)
  archive("answers", value.verdicts);
  RPS_MEMBERS(answered, due, dropped, timed_out, lost)
  archive.if_there("unanswered", value.unanswered);
  archive.if_there("connections", value.connections);
  archive.if_there("outages", value.outages);
  archive.if_there("fault", value.fault);
  RPS_MEMBERS(seconds, response)
  archive.or_same_as("response", value.response, "service", value.service);
  RPS_MEMBERS(lateness, errors, open_mean, series, load, server, other_cpu_share, stolen_share,
              bytes_sent_per_call, bytes_received_per_call, syscalls_per_call)
  archive.if_there("why_no", value.why_no);
  RPS_MEMBERS(observer_active, micro)
}

// All of a run but its trials, which name their cells.
void members(auto& archive, MaybeConst<Run> auto& value) {
  RPS_MEMBERS(id, title, interrupted, environment, plan, tables, cells, left_out)
}

void members(auto& archive, const Estimate& value) {
  RPS_MEMBERS(median, low, high, trials)
}

// ---- Writing

class Writer {
 public:
  template <class Value>
  void operator()(const char* name, const Value& value) {
    json_[name] = written(value);
  }

  // A member that older files lack.
  template <class Value>
  void if_there(const char* name, const Value& value) {
    (*this)(name, value);
  }

  // A value that is the same as another is written as the other's name: that halves the file.
  template <class Value>
  void or_same_as(const char* other_name, const Value& other, const char* name,
                  const Value& value) {
    json_[name] = value == other ? Json(other_name) : written(value);
  }

  Json take() { return std::move(json_); }

  template <class Value>
  static Json written(const Value& value) {
    if constexpr (std::is_arithmetic_v<Value> || std::is_same_v<Value, std::string>) {
      return value;
    } else {
      Writer writer;
      members(writer, value);
      return writer.take();
    }
  }
  static Json written(load::Ending ending) {
    return ending_names[static_cast<std::size_t>(ending)];
  }
  static Json written(load::Arrivals arrivals) {
    return arrivals_names[static_cast<std::size_t>(arrivals)];
  }
  static Json written(const load::Verdicts& verdicts) {
    Json json = Json::object();
    for (const load::Verdict verdict : load::all_verdicts)
      json[to_string(verdict)] = verdicts.of(verdict);
    return json;
  }
  static Json written(const load::Distribution& distribution) {
    if (distribution.count == 0) return nullptr;
    return {{"count", distribution.count},
            {"mean_ns", distribution.mean_ns},
            {"min_ns", distribution.min_ns},
            {"max_ns", distribution.max_ns},
            {"counts", written_counts(distribution)}};
  }
  static Json written_counts(const load::Distribution& distribution) {
    Json json = Json::array();
    std::int64_t next = 0;  // The index that follows the bucket written last.
    for (const auto& [index, count] : distribution.buckets) {
      if (index > next) json.push_back(next - index);
      json.push_back(count);
      next = std::int64_t{index} + 1;
    }
    return json;
  }
  static Json written(const std::map<std::string, double>& values) { return named(values); }
  static Json written(const Details& details) { return named(details); }
  template <class Value>
  static Json written(const std::optional<Value>& value) {
    return value ? written(*value) : Json(nullptr);
  }
  template <class Value>
  static Json written(const std::vector<Value>& values) {
    Json json = Json::array();
    for (const Value& value : values) json.push_back(written(value));
    return json;
  }

 private:
  static Json named(const auto& values) {
    Json json = Json::object();
    for (const auto& [name, value] : values) json[name] = value;
    return json;
  }

  Json json_ = Json::object();
};

// ---- Reading

// Fills a value from an object. The first thing that is wrong is kept as a sentence, and nothing
// after it is read.
class Reader {
 public:
  // `path` is how the object is called in the sentence; empty for the whole file.
  Reader(const Json& json, std::string path, std::string& error)
      : json_(json), path_(std::move(path)), error_(error) {
    if (!json_.is_object()) fail(path_.empty() ? "the file" : path_, "is not an object");
  }

  template <class Value>
  void operator()(const char* name, Value& value) {
    if (!error_.empty()) return;
    const std::string path = path_.empty() ? name : member_of(path_, name);
    const auto found = json_.find(name);
    if (found == json_.end()) return fail(path, "is missing");
    read(*found, path, value);
  }

  // Leaves the value as it is when the member is missing.
  template <class Value>
  void if_there(const char* name, Value& value) {
    if (error_.empty() && json_.contains(name)) (*this)(name, value);
  }

  template <class Value>
  void or_same_as(const char* other_name, const Value& other, const char* name, Value& value) {
    const auto found = error_.empty() ? json_.find(name) : json_.end();
    if (found == json_.end() || *found != other_name) return (*this)(name, value);
    value = other;
  }

 private:
  static std::string member_of(std::string path, std::string_view name) {
    return path.append(".").append(name);
  }

  void fail(const std::string& path, std::string_view what) {
    if (error_.empty()) error_ = path + " " + std::string(what);
  }

  template <class Value>
  void read(const Json& json, const std::string& path, Value& value) {
    if constexpr (std::is_integral_v<Value>) {
      read_integer(json, path, value);
    } else {
      Reader reader(json, path, error_);
      members(reader, value);
    }
  }

  void read(const Json& json, const std::string& path, bool& value) {
    if (!json.is_boolean()) return fail(path, "is not true or false");
    value = json.get<bool>();
  }

  void read(const Json& json, const std::string& path, double& value) {
    if (!json.is_number()) return fail(path, "is not a number");
    value = json.get<double>();
  }

  void read(const Json& json, const std::string& path, std::string& value) {
    if (!json.is_string()) return fail(path, "is not a text");
    value = json.get<std::string>();
  }

  // Only `int` may be negative.
  template <class Integer>
  void read_integer(const Json& json, const std::string& path, Integer& value) {
    using Wide = std::conditional_t<std::is_signed_v<Integer>, std::int64_t, std::uint64_t>;
    const bool is_right =
        std::is_signed_v<Integer> ? json.is_number_integer() : json.is_number_unsigned();
    if (!is_right) return fail(path, "is not a whole number");
    const auto wide = json.get<Wide>();
    if (!std::in_range<Integer>(wide)) return fail(path, "is too large a number");
    value = static_cast<Integer>(wide);
  }

  template <class Enum, std::size_t size>
  void read_name(const Json& json, const std::string& path,
                 const std::array<std::string_view, size>& names, Enum& value) {
    std::string name;
    read(json, path, name);
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return fail(path, "is none of the names that it may be");
    value = static_cast<Enum>(found - names.begin());
  }
  void read(const Json& json, const std::string& path, load::Ending& ending) {
    read_name(json, path, ending_names, ending);
  }
  void read(const Json& json, const std::string& path, load::Arrivals& arrivals) {
    read_name(json, path, arrivals_names, arrivals);
  }

  void read(const Json& json, const std::string& path, load::Verdicts& verdicts) {
    Reader reader(json, path, error_);
    for (const load::Verdict verdict : load::all_verdicts) {
      std::uint64_t count = 0;
      reader(to_string(verdict).data(), count);
      verdicts.count(verdict, count);
    }
  }

  void read(const Json& json, const std::string& path, load::Distribution& distribution) {
    if (json.is_null()) return;
    Reader reader(json, path, error_);
    reader("count", distribution.count);
    reader("mean_ns", distribution.mean_ns);
    reader("min_ns", distribution.min_ns);
    reader("max_ns", distribution.max_ns);
    reader("counts", distribution.buckets);
    std::uint64_t left = distribution.count;
    for (const auto& bucket : distribution.buckets) {
      if (bucket.count > left) return fail(path + ".count", "is less than the sum of its counts");
      left -= bucket.count;
    }
    if (left > 0) fail(path + ".count", "is more than the sum of its counts");
  }

  // As run.hpp says: counts of consecutive buckets; a negative number skips so many empty ones.
  void read(const Json& json, const std::string& path,
            std::vector<load::Distribution::Bucket>& buckets) {
    if (!json.is_array()) return fail(path, "is not an array");
    std::uint64_t index = 0;
    for (const Json& number : json) {
      if (!number.is_number_integer()) return fail(path, "holds what is not a whole number");
      const bool is_gap = !number.is_number_unsigned();
      const auto value = number.get<std::uint64_t>();
      const std::uint64_t skipped = is_gap ? -value : 1;
      if (value == 0) return fail(path, "holds a zero");
      if (skipped > load::Histogram::bucket_count - index) {
        return fail(path, "goes beyond 2.4 hours");
      }
      if (!is_gap) buckets.push_back({.index = static_cast<std::uint32_t>(index), .count = value});
      index += skipped;
    }
  }

  void read(const Json& json, const std::string& path, std::map<std::string, double>& values) {
    if (!json.is_object()) return fail(path, "is not an object");
    for (const auto& [name, value] : json.items()) read(value, member_of(path, name), values[name]);
  }

  void read(const Json& json, const std::string& path, Details& details) {
    if (!json.is_object()) return fail(path, "is not an object");
    for (const auto& [name, value] : json.items()) {
      read(value, member_of(path, name), details.emplace_back(name, "").second);
    }
  }

  template <class Value>
  void read(const Json& json, const std::string& path, std::optional<Value>& value) {
    if (!json.is_null()) read(json, path, value.emplace());
  }

  template <class Value>
  void read(const Json& json, const std::string& path, std::vector<Value>& values) {
    if (!json.is_array()) return fail(path, "is not an array");
    for (const Json& each : json) {
      read(each, path + "[" + std::to_string(values.size()) + "]", values.emplace_back());
      if (!error_.empty()) return;
    }
  }

  const Json& json_;
  std::string path_;
  std::string& error_;
};

// ---- Trials, which stand in the file with the key of their cell

Json figures_of(const Trial& trial, const Cell& cell) {
  Json json = Json::object();
  for (const MetricInfo& each : all_metrics) {
    const auto value = figure(trial, cell, each.metric);
    if (value) json[each.column] = *value;
  }
  return json;
}

Json to_json(const CellTrial& each, const Cell& cell) {
  Json json{{"cell", cell.key},
            {"round", each.round},
            {"order", each.order},
            {"complaint", each.trial.complaint()},
            {"figures", figures_of(each.trial, cell)}};
  json.update(Writer::written(each.trial));
  return json;
}

void read_trial(const Json& json, const std::string& path,
                const std::map<std::string, std::size_t>& cells, CellTrial& each,
                std::string& error) {
  Reader reader(json, path, error);
  std::string key;
  reader("cell", key);
  reader("round", each.round);
  reader("order", each.order);
  members(reader, each.trial);
  if (!error.empty()) return;
  const auto found = cells.find(key);
  if (found == cells.end()) {
    error = path + ".cell is no key of a cell";
    return;
  }
  each.cell = found->second;
}

void read_trials(const Json& json, Run& run, std::string& error) {
  std::map<std::string, std::size_t> cells;
  for (const Cell& cell : run.cells) {
    if (!cells.emplace(cell.key, cells.size()).second) {
      error = "cells: two have the same key";
      return;
    }
  }
  const auto trials = json.find("trials");
  if (trials == json.end() || !trials->is_array()) {
    error = "trials is missing, or not an array";
    return;
  }
  for (const Json& each : *trials) {
    const std::string path = "trials[" + std::to_string(run.trials.size()) + "]";
    read_trial(each, path, cells, run.trials.emplace_back(), error);
    if (!error.empty()) return;
  }
}

// ---- What can be made from the trials

Json flags_json(const Run& run, std::size_t cell) {
  Json json = Json::array();
  for (const Flagged& each : flags_of(run, cell)) {
    json.push_back({{"flag", info(each.flag).word}, {"detail", each.detail}});
  }
  return json;
}

Json summary_json(const Run& run, std::size_t cell) {
  Json json{{"cell", run.cells[cell].key}, {"flags", flags_json(run, cell)}};
  Json absent = Json::object();
  for (const MetricInfo& each : all_metrics) {
    const Estimate estimate = estimate_of(run, cell, each.metric);
    json[each.column] = estimate.trials > 0 ? Writer::written(estimate) : Json(nullptr);
    if (estimate.trials == 0) absent[each.column] = why_absent(run, cell, each.metric);
  }
  json["absent"] = std::move(absent);
  return json;
}

std::string_view tendency_name(Tendency tendency) {
  switch (tendency) {
    case Tendency::indistinguishable: return "indistinguishable";
    case Tendency::higher: return "higher";
    case Tendency::lower: return "lower";
  }
  return "indistinguishable";
}

constexpr std::array compared{Metric::qps, Metric::mean, Metric::p50, Metric::p99, Metric::cpu_us};

Json comparison_json(const Run& run, std::size_t ours, std::size_t theirs, Metric metric) {
  const Comparison comparison = compare_cells(run, ours, theirs, metric);
  if (comparison.ratio.trials == 0) return nullptr;
  return {{"cell", run.cells[ours].key},
          {"against", run.cells[theirs].key},
          {"metric", info(metric).column},
          {"ratio", Writer::written(comparison.ratio)},
          {"p", comparison.p},
          {"smallest_effect", comparison.smallest_effect},
          {"ratio_is", tendency_name(comparison.tendency)}};
}

Json comparisons_json(const Run& run) {
  Json json = Json::array();
  for (std::size_t ours = 0; ours < run.cells.size(); ++ours) {
    const std::size_t theirs = first_at_load(run, ours);
    if (theirs == ours) continue;
    for (const Metric metric : compared) {
      Json comparison = comparison_json(run, ours, theirs, metric);
      if (!comparison.is_null()) json.push_back(std::move(comparison));
    }
  }
  return json;
}

// ---- The text

// Replaces bytes that are not UTF-8; a server's last line on stderr may contain such bytes.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A member of the outermost object on a line, and so each element of an array.
std::string with_lines(const Json& json) {
  std::string text = "{";
  for (const auto& [name, value] : json.items()) {
    text += text.size() > 1 ? ",\n" : "\n";
    text += dump(name) + ": ";
    if (!value.is_array() || value.empty()) {
      text += dump(value);
      continue;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      text += i == 0 ? "[\n " : ",\n ";
      text += dump(value[i]);
    }
    text += "\n]";
  }
  return text + "\n}\n";
}

}  // namespace

std::string to_json(const Run& run) {
  Json json{{"schema_version", run_schema_version}};
  json.update(Writer::written(run));
  json["trials"] = Json::array();
  for (const CellTrial& each : run.trials) {
    json["trials"].push_back(to_json(each, run.cells[each.cell]));
  }
  json["summary"] = Json::array();
  for (std::size_t cell = 0; cell < run.cells.size(); ++cell) {
    json["summary"].push_back(summary_json(run, cell));
  }
  json["comparisons"] = comparisons_json(run);
  return with_lines(json);
}

std::expected<Run, std::string> parse_run(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return std::unexpected("the file is not JSON");
  std::string error;
  int version = 0;
  Reader reader(json, "", error);
  reader("schema_version", version);
  if (error.empty() && version != run_schema_version) {
    error = "schema_version is " + std::to_string(version) + ", and only " +
            std::to_string(run_schema_version) + " can be read";
  }
  Run run;
  if (error.empty()) members(reader, run);
  if (error.empty()) read_trials(json, run, error);
  if (!error.empty()) return std::unexpected(error);
  return run;
}

}  // namespace rps::model
