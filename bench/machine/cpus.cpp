#include "bench/machine/cpus.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <sched.h>

#include "core/number.hpp"

namespace rps::machine {

namespace {

bool pin_thread(pid_t tid, int cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<std::size_t>(cpu), &cpus);
  return ::sched_setaffinity(tid, sizeof cpus, &cpus) == 0;
}

}  // namespace

std::vector<int> server_cpus(const std::optional<CpuPlan>& plan) {
  return plan ? std::vector<int>{plan->server} : std::vector<int>{};
}

std::expected<CpuPlan, std::string> plan_cpus(const std::vector<int>& usable,
                                              std::optional<int> server, std::optional<int> load) {
  const CpuPlan plan{.server = server.value_or(usable.front()),
                     .load = load.value_or(usable.back())};
  for (const int cpu : {plan.server, plan.load}) {
    if (std::ranges::find(usable, cpu) == usable.end()) {
      return std::unexpected("this process may not use CPU " + std::to_string(cpu));
    }
  }
  return plan;
}

bool pin_process(pid_t pid, int cpu) {
  std::error_code failure;
  bool pinned = pin_thread(pid, cpu);  // The first thread, where /proc does not list them.
  const std::filesystem::path tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, failure)) {
    const auto tid = parse_number<pid_t>(task.path().filename().string());
    pinned = (tid && pin_thread(*tid, cpu)) || pinned;
  }
  return pinned;
}

}  // namespace rps::machine
