#include "bench/load/machine_cpu.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string>

#include <unistd.h>

namespace rps::load {

double busy_seconds(const std::vector<int>& cpus) {
  std::ifstream proc_stat("/proc/stat");
  return busy_seconds(cpus, proc_stat);
}

// Lines are "cpu0 user nice system idle iowait irq softirq steal …", as in proc(5).
double busy_seconds(const std::vector<int>& cpus, std::istream& proc_stat) {
  double ticks = 0;
  for (std::string line; std::getline(proc_stat, line);) {
    std::istringstream fields(line);
    std::string name;
    fields >> name;
    const bool is_ours =
        std::ranges::any_of(cpus, [&](int cpu) { return name == "cpu" + std::to_string(cpu); });
    std::array<double, 8> spent{};
    if (!is_ours) continue;
    for (double& value : spent) fields >> value;
    const auto [user, nice, system, idle, iowait, irq, softirq, steal] = spent;
    ticks += user + nice + system + irq + softirq + steal;
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace rps::load
