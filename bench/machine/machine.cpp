#include "bench/machine/machine.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <vector>

#include <sys/prctl.h>
#include <sys/resource.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "bench/machine/text_file.hpp"
#include "core/clock.hpp"
#include "core/net/file.hpp"
#include "core/number.hpp"

namespace rps::machine {

namespace {

namespace fs = std::filesystem;

std::string in_cpu_directory(const std::string& name) {
  return "/sys/devices/system/cpu/" + name;
}

std::string with_decimals(double value, int decimals) {
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return {text.data(), static_cast<std::size_t>(size)};
}

// The path of the control group that limits the CPU, below the mount; nothing when there is none.
// Lines are "hierarchy:controllers:path", where version 2 names no controllers.
struct ControlGroup {
  std::string mount;
  std::string path;
  bool is_version_1 = false;
};

std::optional<ControlGroup> cpu_group(std::string_view proc_cgroup, const std::string& mount) {
  std::optional<ControlGroup> found;
  while (!proc_cgroup.empty()) {
    const std::string_view line = proc_cgroup.substr(0, proc_cgroup.find('\n'));
    proc_cgroup.remove_prefix(std::min(line.size() + 1, proc_cgroup.size()));
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1));
    if (controllers.empty() && !found) found = {.mount = mount, .path = path};
    if (controllers == "cpu" || controllers == "cpu,cpuacct" || controllers == "cpuacct,cpu") {
      found = {.mount = mount + "/" + std::string(controllers), .path = path, .is_version_1 = true};
    }
  }
  return found;
}

// How many CPUs' time the group in this directory may use.
std::optional<double> quota_of(const std::string& directory, bool is_version_1) {
  std::optional<double> quota;
  std::optional<double> period;
  if (is_version_1) {
    quota = parse_number<double>(read_first_line(directory + "/cpu.cfs_quota_us"));
    period = parse_number<double>(read_first_line(directory + "/cpu.cfs_period_us"));
  } else {
    const std::string line = read_first_line(directory + "/cpu.max");  // "max 100000"
    const std::size_t space = std::min(line.find(' '), line.size());
    quota = parse_number<double>(line.substr(0, space));
    period = parse_number<double>(line.substr(std::min(space + 1, line.size())));
  }
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return *quota / *period;
}

// Of the words "always [madvise] never" the one in brackets.
std::string chosen_word(const std::string& words) {
  const std::size_t open = words.find('[');
  const std::size_t close = words.find(']', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return words.substr(open + 1, close - open - 1);
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

std::vector<std::string> sorted_entries(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(directory, failure)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

std::string hypervisor() {
#if defined(__x86_64__) || defined(__i386__)
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  constexpr unsigned is_virtual = 1U << 31;  // Of ecx; a real processor has 0 there.
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & is_virtual) == 0) return "none";
  __cpuid(0x40000000, eax, ebx, ecx, edx);
  const std::array words{ebx, ecx, edx};
  std::array<char, sizeof words + 1> name{};
  std::memcpy(name.data(), words.data(), sizeof words);
  return name.data();
#else
  return read_first_line("/sys/hypervisor/type");
#endif
}

std::string product() {
  const std::string directory = "/sys/class/dmi/id/";
  std::vector<std::string> words;
  for (const char* name : {"sys_vendor", "product_name"}) {
    if (std::string word = read_first_line(directory + name); !word.empty()) {
      words.push_back(std::move(word));
    }
  }
  return joined(words, " ");
}

std::string cpu_limit(std::string_view proc_cgroup, const std::string& mount) {
  const auto group = cpu_group(proc_cgroup, mount);
  if (!group) return {};
  // Each group is bound by those above it as well. In a container the path may be one of the host,
  // which is not there; then it is the mount's own directory that limits.
  std::optional<double> limit;
  for (fs::path path = group->path;; path = path.parent_path()) {
    const auto quota = quota_of(group->mount + path.string(), group->is_version_1);
    if (quota) limit = std::min(limit.value_or(*quota), *quota);
    if (!path.has_relative_path()) break;
  }
  return limit ? with_decimals(*limit, 2) + " CPUs" : "none";
}

std::string cpu_limit() {
  return cpu_limit(net::read_file("/proc/self/cgroup").value_or(""), "/sys/fs/cgroup");
}

std::string usable_cpu_list() {
  const std::string status = net::read_file("/proc/self/status").value_or("");
  return std::string(find_field(status, "Cpus_allowed_list:").value_or(""));
}

std::string smt_siblings() {
  std::set<std::string> groups;
  bool told = false;
  for (const std::string& name : sorted_entries(in_cpu_directory(""))) {
    const std::string list =
        read_first_line(in_cpu_directory(name) + "/topology/thread_siblings_list");
    told = told || !list.empty();
    if (list.find_first_of(",-") != std::string::npos) groups.insert(list);
  }
  if (groups.empty()) return told ? "none" : "";
  return joined({groups.begin(), groups.end()}, " ");
}

std::string frequency_governor() {
  return read_first_line(in_cpu_directory("cpu0/cpufreq/scaling_governor"));
}

std::string frequency_driver() {
  return read_first_line(in_cpu_directory("cpu0/cpufreq/scaling_driver"));
}

std::string idle_driver() {
  return read_first_line(in_cpu_directory("cpuidle/current_driver"));
}

std::string clock_source() {
  return read_first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
}

// The fastest of many batches: the others were disturbed.
std::string clock_read_cost() {
  constexpr int batches = 50;
  constexpr int reads = 500;
  Clock::duration fastest = Clock::duration::max();
  for (int batch = 0; batch < batches; ++batch) {
    const Clock::time_point start = Clock::now();
    Clock::time_point last = start;
    for (int i = 0; i < reads; ++i) last = Clock::now();
    fastest = std::min(fastest, last - start);
  }
  return with_decimals(static_cast<double>(fastest.count()) / reads, 1) + " ns";
}

std::string timer_slack() {
  const int nanoseconds = ::prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
  return nanoseconds < 0 ? "" : std::to_string(nanoseconds) + " ns";
}

std::string memory_total() {
  constexpr double kibibytes_in_gibibyte = 1024 * 1024;
  const std::uint64_t kibibytes =
      number_of(net::read_file("/proc/meminfo").value_or(""), "MemTotal:");
  if (kibibytes == 0) return {};
  return with_decimals(static_cast<double>(kibibytes) / kibibytes_in_gibibyte, 1) + " GiB";
}

std::string open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  const auto text = [](rlim_t value) {
    return value == RLIM_INFINITY ? "unlimited" : std::to_string(value);
  };
  return text(limit.rlim_cur) + ", up to " + text(limit.rlim_max);
}

std::string load_average() {
  const std::string line = read_first_line("/proc/loadavg");  // "0.31 0.52 0.44 1/90 347"
  std::size_t end = 0;
  for (int word = 0; word < 3 && end != std::string::npos; ++word) end = line.find(' ', end + 1);
  return line.substr(0, end);
}

std::string transparent_huge_pages() {
  return chosen_word(read_first_line("/sys/kernel/mm/transparent_hugepage/enabled"));
}

std::string mitigations(const std::string& directory) {
  std::vector<std::string> vulnerable;
  std::vector<std::string> mitigated;
  const std::vector<std::string> names = sorted_entries(directory);
  for (const std::string& name : names) {
    const std::string state = read_first_line(std::filesystem::path(directory) / name);
    if (state.empty() || state.starts_with("Not affected")) continue;
    (state.starts_with("Mitigation") ? mitigated : vulnerable).push_back(name);
  }
  if (vulnerable.empty() && mitigated.empty()) return names.empty() ? "" : "none";
  std::vector<std::string> parts;
  if (!vulnerable.empty()) parts.push_back("vulnerable: " + joined(vulnerable, ", "));
  if (!mitigated.empty()) parts.push_back("mitigated: " + joined(mitigated, ", "));
  return joined(parts, "; ");
}

std::string mitigations() {
  return mitigations(in_cpu_directory("vulnerabilities"));
}

}  // namespace rps::machine
