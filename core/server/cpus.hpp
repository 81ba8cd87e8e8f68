// The CPUs that this process may use. A server starts one thread for each of them, and the harness
// chooses from them. Two things can make them fewer than the machine has: the affinity mask of the
// process, and the CPU quota of the cgroup that it runs in (what `docker run --cpus` and a
// Kubernetes limit set). std::thread::hardware_concurrency() knows nothing of a quota.
//
// A library of its own (rps_cpus), because the harness needs this file and no other of core/server.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rps::server {

struct UsableCpus {
  // The CPUs of the calling thread's affinity mask, sched_getaffinity(2), ascending; never empty.
  std::vector<int> affinity;
  // The smallest CPU quota of the process's cgroup and of the cgroups around it, in CPUs: 1.5 is
  // 150 ms of CPU time in each 100 ms. None when no cgroup has a quota.
  std::optional<double> quota;

  // The CPUs of the mask, or the quota rounded up when that is less; at least 1.
  unsigned count() const;

  // Where the count comes from: "affinity mask: 2 CPUs; cgroup quota: 1.5 CPUs".
  std::string reason() const;
};

// Reads the affinity mask and the cgroups of the process now. What cannot be read bounds nothing:
// no /proc, no cgroup file system, a cgroup that the mount does not show (a container sees its own
// cgroups only, but an outer cgroup's quota bounds it all the same).
UsableCpus usable_cpus();

// A cgroup directory that may hold a CPU quota.
struct CpuCgroup {
  enum class Version { v1, v2 };

  Version version = Version::v2;
  std::string directory;

  bool operator==(const CpuCgroup&) const = default;
};

// Pure. The cgroup of a process and those around it, innermost first, for each hierarchy that can
// hold a CPU quota. `proc_cgroup` is the text of /proc/PID/cgroup, cgroups(7); `mountinfo` that of
// /proc/PID/mountinfo, proc_pid_mountinfo(5).
std::vector<CpuCgroup> cpu_cgroups(std::string_view proc_cgroup, std::string_view mountinfo);

// The smallest quota of these, read from their files now, in CPUs; none when no file has one.
std::optional<double> smallest_quota(const std::vector<CpuCgroup>& cgroups);

// Pure. The quota, in CPUs, of a cpu.max file of cgroup v2: "150000 100000" is 1.5, "max 100000"
// is none, as is any text that is no such file.
std::optional<double> parse_cpu_max(std::string_view text);

// Pure. The same of cpu.cfs_quota_us and cpu.cfs_period_us of cgroup v1; a quota of -1 is none.
std::optional<double> parse_cfs_quota(std::string_view quota, std::string_view period);

}  // namespace rps::server
