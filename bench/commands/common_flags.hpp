// The flags that every measuring command has: CPUs, folder of the binaries, output folder,
// thresholds.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/machine/cpus.hpp"
#include "bench/model/run.hpp"
#include "bench/model/threshold.hpp"
#include "bench/scenarios/runner.hpp"

namespace CLI {
class App;
}

namespace rps::commands {

class CommonFlags {
 public:
  // `command_line` is kept in the reports. REQUIRES: outlives the parsing.
  CommonFlags(CLI::App& command, std::vector<std::string> command_line);

  // Makes the output folder, ties this process to the CPU of the load, and warns where a
  // measurement would mislead. A run without cells, with its environment; nothing, after a sentence
  // on stderr, when a CPU that was asked for cannot be used. Throws std::system_error when nothing
  // can be written to the folder.
  std::optional<model::Run> begin() const;

  // Where the servers and the logs are. The servers stand beside the harness unless told otherwise:
  // that keeps their builds alike.
  scenarios::RunnerOptions runner() const;

  // Prints the text to stdout with `more` behind it, writes `name`.json, .md, .csv, .html and .xml
  // (JUnit) into the folder, and says what was not met. The exit code of Command::run().
  int report(const model::Run& run, const std::string& name, const std::string& more = {}) const;

  std::uint64_t seed() const { return seed_; }

 private:
  std::filesystem::path out() const;

  std::vector<std::string> command_line_;
  std::optional<int> server_cpu_;
  std::optional<int> load_cpu_;
  std::string binaries_;
  std::string out_;
  std::uint64_t seed_ = 1;
  std::vector<std::string> thresholds_;
  bool quiet_ = false;
};

// Of a flag that takes thresholds: why one is refused, or empty; and their values. REQUIRES: none
// is refused.
std::string check_threshold(const std::string& text);
std::vector<model::Threshold> parse_thresholds(const std::vector<std::string>& texts);

// What `member` of each entry says.
std::vector<std::string> names_of(const auto& entries, auto member) {
  std::vector<std::string> names;
  for (const auto& entry : entries) names.emplace_back(entry.*member);
  return names;
}

// For CLI::Option::check(): what is wrong with a text that is none of `names`; empty when it is
// one.
std::function<std::string(const std::string&)> one_of(std::vector<std::string> names);

// Throws std::system_error.
void write_file(const std::filesystem::path& path, const std::string& text);

}  // namespace rps::commands
