// Which CPU the servers get and which the load. core/server/cpus.hpp says which there are.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace rps::machine {

// One CPU for the servers and one for the load.
struct CpuPlan {
  int server = 0;
  int load = 0;
  bool shared() const { return server == load; }
  bool operator==(const CpuPlan&) const = default;
};

// For those who start servers: the servers' CPU, or none when nothing is planned.
std::vector<int> server_cpus(const std::optional<CpuPlan>& plan);

// What was asked for, or else the first and the last of `usable`. The error is a sentence: a CPU
// that was asked for is not among them.
std::expected<CpuPlan, std::string> plan_cpus(const std::vector<int>& usable,
                                              std::optional<int> server, std::optional<int> load);

// Ties every thread of the process, and those that it will start, to one CPU. False when there is
// no such process or CPU.
bool pin_process(pid_t pid, int cpu);

}  // namespace rps::machine
