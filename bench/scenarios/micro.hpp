// One figure of rps-micro, as a trial of its own.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rps::scenarios {

struct MicroOptions {
  std::filesystem::path program;
  std::string benchmark;  // By its exact name.
  double seconds = 0.1;   // For which it is repeated.
  std::vector<int> cpus;  // As ProcessOptions says.
};

// How the names of benchmarks end that are timed by the wall clock, not by their thread's CPU time.
inline constexpr std::string_view wall_clock_suffix = "/real_time";

// "ns" is what one round of it took; its counters stand beside it by their names.
// Throws std::runtime_error with a sentence when there is no such program or benchmark.
std::map<std::string, double> run_micro(const MicroOptions& options);

}  // namespace rps::scenarios
