#include "core/server/cpus.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <thread>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/temporary_folder.hpp"

namespace rps::server {

namespace {

namespace fs = std::filesystem;
using Version = CpuCgroup::Version;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool write(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  return static_cast<bool>(file << text << std::flush);
}

// A cgroup inside this process's own, with a CPU quota; gone when it is destroyed.
class QuotaCgroup {
 public:
  explicit QuotaCgroup(const CpuCgroup& parent)
      : version_(parent.version),
        directory_(fs::path(parent.directory) / ("rps_cpus_test_" + std::to_string(::getpid()))) {
    if (version_ == Version::v2) {
      write(fs::path(parent.directory) / "cgroup.subtree_control", "+cpu");
    }
    std::error_code ignored;
    fs::create_directory(directory_, ignored);
  }
  QuotaCgroup(const QuotaCgroup&) = delete;
  QuotaCgroup& operator=(const QuotaCgroup&) = delete;
  ~QuotaCgroup() {
    std::error_code ignored;
    fs::remove(directory_, ignored);  // Of a cgroup only the directory can be removed, and must be.
  }

  // False when the kernel does not permit it.
  bool set(const std::string& quota_us, const std::string& period_us) {
    if (version_ == Version::v2) return write(directory_ / "cpu.max", quota_us + " " + period_us);
    return write(directory_ / "cpu.cfs_period_us", period_us) &&
           write(directory_ / "cpu.cfs_quota_us", quota_us);
  }

  // What usable_cpus() says in a process that runs in this cgroup; none when none can.
  std::optional<double> quota_inside() const {
    const pid_t child = ::fork();
    if (child == 0) {
      if (!write(directory_ / "cgroup.procs", std::to_string(::getpid()))) ::_exit(255);
      const UsableCpus cpus = usable_cpus();
      ::_exit(cpus.quota ? static_cast<int>(*cpus.quota * 100) : 0);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return {};
    if (WEXITSTATUS(status) == 255) return {};
    return WEXITSTATUS(status) / 100.0;
  }

 private:
  Version version_;
  fs::path directory_;
};

}  // namespace

TEST_CASE("a quota of cgroup v2 is its time divided by its period") {
  CHECK(parse_cpu_max("150000 100000\n") == 1.5);
  CHECK(parse_cpu_max("50000 100000") == 0.5);
  CHECK(parse_cpu_max("1000 50000\n") == 0.02);
  CHECK_FALSE(parse_cpu_max("max 100000\n"));
  for (const char* text : {"", "\n", "100000", "100000 ", "0 100000", "100000 0", "-1 100000",
                           "1.5 1", "100000 100000 7", "99999999999999999999 100000"}) {
    INFO(text);
    CHECK_FALSE(parse_cpu_max(text));
  }
}

TEST_CASE("a quota of cgroup v1 is the same, and -1 is none") {
  CHECK(parse_cfs_quota("150000\n", "100000\n") == 1.5);
  CHECK_FALSE(parse_cfs_quota("-1\n", "100000\n"));
  CHECK_FALSE(parse_cfs_quota("", ""));
  CHECK_FALSE(parse_cfs_quota("100000\n", "\n"));
}

TEST_CASE("the cgroups of a process are its own and all around it, up to the mount") {
  const std::string mounts =
      "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
  CHECK(cpu_cgroups("0::/system.slice/rps.service\n", mounts) ==
        std::vector<CpuCgroup>{{Version::v2, "/sys/fs/cgroup/system.slice/rps.service"},
                               {Version::v2, "/sys/fs/cgroup/system.slice"},
                               {Version::v2, "/sys/fs/cgroup"}});
  CHECK(cpu_cgroups("0::/\n", mounts) == std::vector<CpuCgroup>{{Version::v2, "/sys/fs/cgroup"}});
}

TEST_CASE("of cgroup v1 only the hierarchy with the cpu controller counts") {
  const std::string mounts =
      "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
      "34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:1 master:2 - cgroup cgroup "
      "rw,cpu,cpuacct\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
  const std::string own = "9:name=systemd:/x\n4:cpuset:/y\n3:cpu,cpuacct:/a/b\n0::/\n";
  CHECK(cpu_cgroups(own, mounts) ==
        std::vector<CpuCgroup>{{Version::v1, "/sys/fs/cgroup/cpu,cpuacct/a/b"},
                               {Version::v1, "/sys/fs/cgroup/cpu,cpuacct/a"},
                               {Version::v1, "/sys/fs/cgroup/cpu,cpuacct"},
                               {Version::v2, "/sys/fs/cgroup/unified"}});
}

TEST_CASE("a container sees its own cgroup where the mount begins") {
  const auto mounted = [](const std::string& root) {
    return "900 899 0:26 " + root + " /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
  };
  const std::vector<CpuCgroup> own{{Version::v2, "/sys/fs/cgroup"}};
  CHECK(cpu_cgroups("0::/docker/abc\n", mounted("/docker/abc")) == own);
  CHECK(cpu_cgroups("0::/docker/abc\n", mounted("/docker/other")) == own);
  CHECK(cpu_cgroups("0::/../..\n", mounted("/")) == own);
  CHECK(cpu_cgroups("0::/docker/abc/inner\n", mounted("/docker/abc")).front().directory ==
        "/sys/fs/cgroup/inner");
}

TEST_CASE("a cgroup is bound by its own quota and by those around it") {
  const TemporaryFolder tree;
  tree.write("a/cpu.max", "300000 100000\n");
  tree.write("a/b/cpu.max", "max 100000\n");
  tree.write("a/b/c/cpu.max", "50000 100000\n");
  const std::string mount = "30 23 0:26 / " + tree.path.string() + " rw - cgroup2 cgroup2 rw\n";
  const auto quota = [&](std::string_view own) { return smallest_quota(cpu_cgroups(own, mount)); };
  CHECK(quota("0::/a/b/c\n") == 0.5);
  CHECK(quota("0::/a/b\n") == 3.0);
  CHECK_FALSE(quota("0::/\n"));
  CHECK_FALSE(quota("0::/not/there\n"));
  CHECK_FALSE(quota(""));
  CHECK_FALSE(quota("no group\n:\n"));
  tree.write("cpu.max", "150000 100000\n");  // As in a container.
  CHECK(quota("0::/\n") == 1.5);
  CHECK(quota("0::/host/path\n") == 1.5);
}

TEST_CASE("a quota of cgroup v1 is read where the cpu controller is mounted") {
  const TemporaryFolder tree;
  tree.write("a/cpu.cfs_quota_us", "250000\n");
  tree.write("a/cpu.cfs_period_us", "100000\n");
  tree.write("cpu.cfs_quota_us", "-1\n");
  tree.write("cpu.cfs_period_us", "100000\n");
  const std::string mount =
      "32 31 0:29 / " + tree.path.string() + " rw - cgroup cgroup rw,cpu,cpuacct\n";
  CHECK(smallest_quota(cpu_cgroups("3:memory:/a\n2:cpu,cpuacct:/a\n0::/\n", mount)) == 2.5);
  CHECK_FALSE(smallest_quota(cpu_cgroups("2:cpu,cpuacct:/\n", mount)));
}

TEST_CASE("without cgroups there are none") {
  CHECK(cpu_cgroups("", "").empty());
  CHECK(cpu_cgroups("0::/a\n", "").empty());
  CHECK(cpu_cgroups("", "30 23 0:26 / /c rw - cgroup2 cgroup2 rw\n").empty());
  CHECK(cpu_cgroups("nonsense\n", "nonsense\n - \n\n30 - cgroup2\n").empty());
}

TEST_CASE("the count is the mask, or the quota rounded up where that is less, and at least one") {
  const auto count = [](std::vector<int> mask, std::optional<double> quota) {
    return UsableCpus{.affinity = std::move(mask), .quota = quota}.count();
  };
  CHECK(count({0, 1, 2, 3}, {}) == 4);
  CHECK(count({0, 1, 2, 3}, 1.5) == 2);
  CHECK(count({0, 1, 2, 3}, 2.0) == 2);
  CHECK(count({0, 1, 2, 3}, 0.1) == 1);
  CHECK(count({5}, 8.0) == 1);
}

TEST_CASE("the reason names mask and quota") {
  CHECK(UsableCpus{.affinity = {3}, .quota = {}}.reason() ==
        "affinity mask: 1 CPU; cgroup quota: none found");
  CHECK(UsableCpus{.affinity = {0, 1}, .quota = 1.5}.reason() ==
        "affinity mask: 2 CPUs; cgroup quota: 1.5 CPUs");
  CHECK(UsableCpus{.affinity = {0, 1}, .quota = 1.0}.reason() ==
        "affinity mask: 2 CPUs; cgroup quota: 1 CPU");
  CHECK(UsableCpus{.affinity = {0, 1}, .quota = 1 / 3.0}.reason().ends_with("0.33 CPUs"));
}

TEST_CASE("a thread that is tied to one CPU may use that one") {
  const std::vector<int> all = usable_cpus().affinity;
  REQUIRE_FALSE(all.empty());
  UsableCpus tied;
  std::jthread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(all.back()), &one);
    if (::sched_setaffinity(0, sizeof one, &one) == 0) tied = usable_cpus();
  }).join();
  CHECK(tied.affinity == std::vector{all.back()});
  CHECK(tied.count() == 1);
}

TEST_CASE("a process in a cgroup with a quota finds it") {
  const auto cgroups = cpu_cgroups(text_of("/proc/self/cgroup"), text_of("/proc/self/mountinfo"));
  for (const CpuCgroup& own : cgroups) {
    QuotaCgroup inner(own);
    if (!inner.set("50000", "100000")) continue;
    const auto quota = inner.quota_inside();
    if (!quota) continue;
    CHECK(*quota == 0.5);
    return;
  }
  WARN("not tested: no cgroup with a CPU quota can be made here");
}

}  // namespace rps::server
