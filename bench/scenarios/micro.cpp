#include "bench/scenarios/micro.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <string_view>

#include <nlohmann/json.hpp>

#include "bench/machine/process.hpp"

namespace rps::scenarios {

namespace {

using Json = nlohmann::json;

// For a benchmark that does not end: its minimum time is a fraction of a second.
constexpr std::chrono::seconds run_max{60};

// A regular expression that matches this name and no other.
std::string exactly(std::string_view name) {
  constexpr std::string_view special = ".+*?()[]{}^$|\\";
  std::string expression = "^";
  for (const char c : name) {
    if (special.find(c) != std::string_view::npos) expression += '\\';
    expression += c;
  }
  return expression + "$";
}

double nanoseconds_of(std::string_view unit) {
  if (unit == "us") return 1e3;
  if (unit == "ms") return 1e6;
  return unit == "s" ? 1e9 : 1;
}

// Members of a benchmark's entry that are google-benchmark's own and no counter.
bool is_counter(std::string_view name) {
  constexpr std::array<std::string_view, 9> own{"family_index",    "per_family_instance_index",
                                                "repetitions",     "repetition_index",
                                                "threads",         "iterations",
                                                "real_time",       "cpu_time",
                                                "items_per_second"};
  return std::ranges::find(own, name) == own.end();
}

std::map<std::string, double> figures_of(const Json& entry) {
  std::map<std::string, double> figures;
  for (const auto& [name, value] : entry.items()) {
    if (value.is_number() && is_counter(name)) figures[name] = value.get<double>();
  }
  const bool by_wall_clock = entry.value("name", std::string()).ends_with(wall_clock_suffix);
  figures["ns"] = entry.value(by_wall_clock ? "real_time" : "cpu_time", 0.0) *
                  nanoseconds_of(entry.value("time_unit", std::string("ns")));
  return figures;
}

}  // namespace

std::map<std::string, double> run_micro(const MicroOptions& options) {
  machine::Process process(
      {.argv = {options.program.string(), "--benchmark_filter=" + exactly(options.benchmark),
                "--benchmark_format=json",
                "--benchmark_min_time=" + std::to_string(options.seconds)},
       .stderr_file = {},
       .cpus = options.cpus});
  std::string text;
  const Clock::time_point deadline = Clock::now() + run_max;
  while (const auto line = process.read_line(deadline)) text += *line + "\n";
  const Json report = Json::parse(text, nullptr, false);
  if (report.is_discarded() || !report.contains("benchmarks") || report["benchmarks"].empty()) {
    const std::string within =
        Clock::now() < deadline ? "" : " within " + std::to_string(run_max.count()) + " s";
    throw std::runtime_error("rps-micro printed no result of " + options.benchmark + within +
                             ", and " + machine::describe_end(process.stop()));
  }
  return figures_of(report["benchmarks"].front());
}

}  // namespace rps::scenarios
