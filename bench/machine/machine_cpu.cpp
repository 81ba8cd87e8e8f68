#include "bench/machine/machine_cpu.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include <unistd.h>

namespace rps::machine {

namespace {

// What the kernel has counted for some CPUs together, in seconds.
struct Times {
  double busy = 0;
  double stolen = 0;
};

// Lines are "cpu0 user nice system idle iowait irq softirq steal …", as in proc(5).
Times read_times(const std::vector<int>& cpus, std::istream& proc_stat) {
  Times ticks;
  for (std::string line; std::getline(proc_stat, line);) {
    std::istringstream fields(line);
    std::string name;
    fields >> name;
    const bool is_ours =
        std::ranges::any_of(cpus, [&](int cpu) { return name == "cpu" + std::to_string(cpu); });
    if (!is_ours) continue;
    double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
    fields >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal;
    ticks.busy += user + nice + system + irq + softirq + steal;
    ticks.stolen += steal;
  }
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return {.busy = ticks.busy / ticks_per_second, .stolen = ticks.stolen / ticks_per_second};
}

}  // namespace

double busy_seconds(const std::vector<int>& cpus, std::istream& proc_stat) {
  return read_times(cpus, proc_stat).busy;
}

double stolen_seconds(const std::vector<int>& cpus, std::istream& proc_stat) {
  return read_times(cpus, proc_stat).stolen;
}

double busy_seconds(const std::vector<int>& cpus) {
  std::ifstream proc_stat("/proc/stat");
  return busy_seconds(cpus, proc_stat);
}

double stolen_seconds(const std::vector<int>& cpus) {
  std::ifstream proc_stat("/proc/stat");
  return stolen_seconds(cpus, proc_stat);
}

}  // namespace rps::machine
