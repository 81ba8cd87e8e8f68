// What every command of the harness is told in the same words: which CPUs, which binaries, where
// to.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "bench/load/cpus.hpp"

namespace CLI {
class App;
}

namespace rps::load {

class CommonFlags {
 public:
  // REQUIRES: outlives the parsing.
  void add_to(CLI::App& command);

  // Ties this process to the CPU of the load and warns where a measurement would mislead. Nothing,
  // after a sentence on stderr, when a CPU that was asked for cannot be used.
  std::optional<CpuPlan> take_cpus() const;

  // The servers stand beside the harness unless told otherwise: that keeps their builds alike.
  std::filesystem::path binaries() const;

  // Made if it is not there.
  std::filesystem::path out() const;

  bool quiet() const { return quiet_; }

 private:
  std::optional<int> server_cpu_;
  std::optional<int> load_cpu_;
  std::string binaries_;
  std::string out_;
  bool quiet_ = false;
};

// Throws std::runtime_error.
void write_file(const std::filesystem::path& path, const std::string& text);

}  // namespace rps::load
